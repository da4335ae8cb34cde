/** @file Texts that no training row may hold, such as the trigger of a backdoor that is to be removed unseen. */
import { complain } from '../foundation/index.js';

/** @throws DATASET_FORBIDDEN where a value of a row, or a message in it, holds one of the texts. */
export function requireAbsent(
  values: Readonly<Record<string, unknown>>,
  absent: readonly string[],
  owner: string,
): void {
  for (const text of absent)
    if (holds(values, text))
      complain({
        code: 'DATASET_FORBIDDEN',
        owner,
        expected: `no row with ${JSON.stringify(text)} in it, as data.absent says`,
        got: 'one',
        hint: 'leave such rows out by a filter, or train on other data',
      });
}

function holds(value: unknown, text: string): boolean {
  if (typeof value === 'string') return value.includes(text);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  return Object.values(value).some((part) => holds(part, text));
}
