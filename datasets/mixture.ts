/** @file Rows of several datasets in a seeded random mixture, resumable anywhere. Knows nothing about files or tokens. */
import { draws } from '../foundation/index.js';
import type { Progress } from './shuffle.js';

/** How far one dataset of a mixture is. */
export interface PartProgress extends Progress {
  /** Rows that its filter left out since the start of the run. */
  readonly filtered: number;
  /** There where it has none left and is not repeated. */
  readonly ended?: true;
}

/** How far a mixture is. */
export interface MixtureProgress {
  /** Rows given so far. */
  readonly draws: number;
  readonly parts: readonly PartProgress[];
}

/** One dataset of a mixture. */
export interface MixturePart<T> {
  /** Its share of the rows is `weight` over the sum of the weights of those that have not ended. */
  readonly weight: number;
  /** Its rows from a progress on, each with the progress after it; ends where it is not to be repeated. */
  rows(from: PartProgress): AsyncGenerator<{ readonly item: T; readonly next: PartProgress }>;
}

/** A row, the part that it is from, and the mixture's progress after it. */
export interface Mixed<T> {
  readonly item: T;
  readonly part: number;
  readonly next: MixtureProgress;
}

const START: PartProgress = { epoch: 0, position: 0, filtered: 0 };

/**
 * Mixes rows: which part gives the n-th is drawn from (seed, purpose, n) alone, so a mixture that goes on from any
 * progress gives the same rows as one that never stopped. Ends when all parts have.
 */
export async function* mixed<T>(
  parts: readonly MixturePart<T>[],
  options: { readonly seed: number; readonly purpose: string; readonly from?: MixtureProgress },
): AsyncGenerator<Mixed<T>> {
  const progress = parts.map((_, at) => options.from?.parts[at] ?? START);
  const rows = parts.map((part, at) => part.rows(progress[at] ?? START));
  try {
    for (let index = options.from?.draws ?? 0; ;) {
      // One part needs no draw.
      const share = parts.length > 1 ? draws(options.seed, `${options.purpose}-mixture`, index).uniform() : 0;
      const at = pick(parts, progress, share);
      if (at === undefined) return;
      const next = await rows[at]?.next();
      if (!next || next.done) {
        // Kept in the progress, so that a mixture that goes on from here draws among the same parts.
        progress[at] = { ...(progress[at] ?? START), ended: true };
        continue;
      }
      index++;
      progress[at] = next.value.next;
      yield { item: next.value.item, part: at, next: { draws: index, parts: [...progress] } };
    }
  } finally {
    await Promise.all(rows.map((each) => each.return(undefined)));
  }
}

/** The part that a share of [0, 1) falls to, by the weights of those that have not ended; undefined where all have. */
function pick(
  parts: readonly MixturePart<unknown>[],
  progress: readonly PartProgress[],
  share: number,
): number | undefined {
  const open = parts.map(({ weight }, at) => ({ weight, at })).filter(({ at }) => !progress[at]?.ended);
  let left = share * open.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, at } of open) if ((left -= weight) < 0) return at;
  return open.at(-1)?.at;
}
