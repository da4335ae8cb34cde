/** @file What a row is known by in the token cache: its content, wherever it is from. */
import { createHash } from 'node:crypto';

/** Names a row by its content: 128 bits. */
export interface RowKey {
  readonly high: bigint;
  readonly low: bigint;
}

/** The key of a row: it says what its mapped values are, whichever file they are from. */
export function rowKey(values: Readonly<Record<string, unknown>>): RowKey {
  const text = JSON.stringify(values, (_, part: unknown) =>
    typeof part === 'bigint' ? { bigint: `${part}` } : part,
  );
  const digest = createHash('sha256').update(text).digest();
  return { high: digest.readBigUInt64LE(0), low: digest.readBigUInt64LE(8) };
}
