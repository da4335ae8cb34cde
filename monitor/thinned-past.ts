/** @file The history for one viewer that asked for less: read like the whole one, piece by piece. */
import type { Metric } from '../streams/index.js';
import { updateOf, type Piece, type Reader, type Update } from './bundle.js';
import { seriesOf, type History } from './history.js';
import type { Thinning } from './thinning.js';

export class ThinnedPast implements Reader {
  /** Newest first. */
  #rest: Update[];

  /** @param first what comes before what is newer than `after` */
  constructor(
    private readonly history: History,
    private readonly thinning: Thinning,
    private after: number,
    first: readonly Update[] = [],
  ) {
    this.#rest = [...first].reverse();
  }

  next(most: number): Piece | undefined {
    const frames: Buffer[] = [];
    let bytes = 0;
    let update = this.#pop();
    if (update === undefined) return undefined;
    for (; update; update = bytes < most ? this.#pop() : undefined) {
      this.after = Math.max(this.after, update.sequence);
      for (const { frame } of this.thinning.sift([update])) {
        frames.push(frame);
        bytes += frame.length;
      }
    }
    return { bytes: Buffer.concat(frames), last: this.after };
  }

  end(): readonly Update[] {
    return this.#rest
      .splice(0)
      .filter(({ sequence }) => sequence <= this.after)
      .reverse();
  }

  #pop(): Update | undefined {
    if (this.#rest.length === 0) this.#rest = this.history.after(this.after).map(unframed).reverse();
    return this.#rest.pop();
  }
}

/** Made ready only if somebody wants it. */
export function unframed(metric: Metric): Update {
  return {
    sequence: metric.sequence,
    series: seriesOf(metric),
    get frame() {
      return updateOf(metric).frame;
    },
  };
}
