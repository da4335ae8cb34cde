/** @file Rows of a source in a random order, epoch after epoch, resumable anywhere. Knows nothing about tokens. */
import { permutation } from '../foundation/index.js';
import { groupAt, readGroups, type NumberedRow, type Source } from './sources/source.js';

/** How far a shuffle is: rows given in this epoch. */
export interface Progress {
  readonly epoch: number;
  readonly position: number;
}

export interface ShuffleOptions {
  readonly seed: number;
  /** Keeps the draws of two shuffles apart. */
  readonly purpose: string;
  /** Rows held and mixed at a time; 0 keeps the order of the file. */
  readonly window: number;
  readonly from?: Progress;
  /** False ends after the first epoch; default true. */
  readonly repeat?: boolean;
}

/** A row, and the progress after it. */
export interface ShuffledRow extends NumberedRow {
  readonly next: Progress;
}

/**
 * Every epoch gives each row once. Row groups come in a random order; their rows, one group after the other, fill a
 * window, which is given out in a random order and filled again. Each order is a function of (seed, purpose, epoch,
 * window), so resuming draws nothing again and reads again only the window it stopped in. Holds at most the window and
 * two row groups.
 */
export async function* shuffledRows(
  source: Source,
  columns: readonly string[],
  options: ShuffleOptions,
): AsyncGenerator<ShuffledRow> {
  const size = options.window > 0 ? Math.min(options.window, source.rows) : source.rows;
  const held = options.window > 0;
  let { epoch, position } = options.from ?? { epoch: 0, position: 0 };
  for (; options.repeat !== false || epoch === 0; epoch++, position = 0) {
    const start = held ? Math.floor(position / size) * size : position;
    const rows = epochRows(source, columns, options, epoch, start);
    const ordered = held ? windows(rows, size, start, options, epoch, position) : rows;
    for await (const numbered of ordered) {
      position++;
      const next = position < source.rows ? { epoch, position } : { epoch: epoch + 1, position: 0 };
      yield { ...numbered, next };
    }
  }
}

/** Rows of one epoch from its row `start` on, group after group in that epoch's order. */
function epochRows(
  source: Source,
  columns: readonly string[],
  { seed, purpose, window }: ShuffleOptions,
  epoch: number,
  start: number,
): AsyncGenerator<NumberedRow> {
  const all = [...source.groups.keys()];
  const order = window > 0 ? [...permutation(all.length, seed, `${purpose}-groups`, epoch)] : all;
  let skip = start;
  let first = 0;
  while (first < order.length && skip >= groupAt(source, order[first] as number).rows) {
    skip -= groupAt(source, order[first] as number).rows;
    first++;
  }
  return readGroups(source, columns, order.slice(first), skip);
}

/** Gives rows out in the random order of their window; the first window from `position` on. */
async function* windows(
  rows: AsyncGenerator<NumberedRow>,
  size: number,
  start: number,
  { seed, purpose }: ShuffleOptions,
  epoch: number,
  position: number,
): AsyncGenerator<NumberedRow> {
  let window: NumberedRow[] = [];
  let number = start / size;
  let given = position - start;
  const ordered = (): NumberedRow[] => {
    const order = permutation(window.length, seed, `${purpose}-window`, epoch, number);
    const result = [...order.subarray(given)].map((at) => window[at] as NumberedRow);
    window = [];
    number++;
    given = 0;
    return result;
  };
  for await (const row of rows) {
    window.push(row);
    if (window.length === size) yield* ordered();
  }
  if (window.length > 0) yield* ordered();
}
