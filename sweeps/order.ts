/** @file The order of a table's rows: by a setting or by a figure. Plain data in and out. */
import { complain, nearMatches } from '../foundation/index.js';

/** What rows are sorted by, from the least on or from the greatest. */
export interface Order {
  readonly by: string;
  readonly descending: boolean;
}

/** A row of a table with what it can be sorted by. */
export interface Row {
  readonly cells: readonly string[];
  readonly keys: ReadonlyMap<string, number | string>;
}

/** `latent`, or `benign:desc` */
export function orderOf(text: string): Order {
  return { by: text.replace(/:(asc|desc)$/, ''), descending: text.endsWith(':desc') };
}

/** The cells of rows in an order; by what they do not have they stay as they come. */
export function sorted(rows: readonly Row[], order?: Order): string[][] {
  const ordered = order
    ? rows.toSorted((a, b) => compared(a.keys.get(order.by), b.keys.get(order.by), order.descending))
    : rows;
  return ordered.map(({ cells }) => [...cells]);
}

/** What has no figure comes last, whichever way. */
function compared(a: Key, b: Key, descending: boolean): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const numbers = typeof a === 'number' && typeof b === 'number';
  const order = numbers ? a - b : String(a) < String(b) ? -1 : Number(String(a) !== String(b));
  return descending ? -order : order;
}

type Key = number | string | undefined;

/** @throws SWEEP_SORT @param known what rows can be sorted by */
export function refuseSort(by: string, known: readonly string[]): never {
  const near = nearMatches(by, known);
  return complain({
    code: 'SWEEP_SORT',
    owner: `--sort ${by}`,
    expected: `one of ${known.join(', ')}`,
    got: by,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'name a column',
  });
}
