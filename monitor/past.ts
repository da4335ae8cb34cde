/** @file The history as it goes over the wire: made ready once for all viewers that come while somebody still does. */
import { Bundle, merged, updateOf, type Piece, type Reader, type Update } from './bundle.js';
import type { History } from './history.js';
import { ThinnedPast, unframed } from './thinned-past.js';
import type { Thinning } from './thinning.js';

/** Metrics that one reader makes ready for itself, as long as nobody needed more. */
const FEW = 200;
/** Behind the last reader: visitors that come again and again pay for one preparation. */
const KEPT_MILLISECONDS = 10_000;

export class Past {
  /** All of the history up to the newest that was asked for, oldest first. Each is longer than the next. */
  #bundles: Bundle[] = [];
  #readers = 0;
  #forget: NodeJS.Timeout | undefined;

  constructor(private readonly history: History) {}

  /** Somebody begins to read behind a sequence number. */
  reader(after: number): PastReader {
    this.#readers += 1;
    clearTimeout(this.#forget);
    return new PastReader(this, after);
  }

  /** The same for one viewer that asked for less. @param first what comes before it */
  thinned(thinning: Thinning, after: number, first: readonly Update[]): Reader {
    return new ThinnedPast(this.history, thinning, after, first);
  }

  /** The newest of each series, as far as they are not newer than a sequence number; in sequence. */
  newest(upTo: number): Update[] {
    return this.history
      .newest()
      .filter(({ sequence }) => sequence <= upTo)
      .map(unframed);
  }

  /** One reader less; some time after the last one nothing is kept. */
  leave(): void {
    this.#readers -= 1;
    if (this.#readers === 0) this.#forget = setTimeout(() => (this.#bundles = []), KEPT_MILLISECONDS).unref();
  }

  /** What comes behind a sequence number, not always all of it; undefined where nothing is newer. */
  bundleAfter(sequence: number): { readonly bundle: Bundle; readonly isShared: boolean } | undefined {
    if (this.#bundles.length === 0) {
      const missing = this.history.after(sequence);
      if (missing.length === 0) return undefined;
      if (missing.length <= FEW) return { bundle: new Bundle(missing.map(updateOf)), isShared: false };
    }
    this.#prepare();
    const bundle = this.#bundles.find(({ last }) => last > sequence);
    return bundle && { bundle, isShared: true };
  }

  /** Only what is new, unless the history dropped much of what is kept here. */
  #prepare(): void {
    const kept = this.#bundles.reduce((sum, { length }) => sum + length, 0);
    if (kept > 2 * this.history.size) this.#bundles = [];
    const added = this.history.after(this.#bundles.at(-1)?.last ?? -1);
    if (added.length === 0) return;
    let bundle = new Bundle(added.map(updateOf));
    for (
      let before = this.#bundles.at(-1);
      before && before.length <= bundle.length;
      before = this.#bundles.at(-1)
    ) {
      bundle = merged(before, bundle);
      this.#bundles.pop();
    }
    this.#bundles.push(bundle);
  }
}
/** Reads the history to its end, piece by piece. */
export class PastReader implements Reader {
  #own: Bundle | undefined;
  #ended = false;

  constructor(
    private readonly past: Past,
    private after: number,
  ) {}

  next(most: number): Piece | undefined {
    const own = this.#own?.after(this.after, most);
    const piece = own ?? this.#found(most);
    if (piece) this.after = piece.last;
    return piece;
  }

  end(): readonly Update[] {
    if (!this.#ended) this.past.leave();
    this.#ended = true;
    return [];
  }

  #found(most: number): Piece | undefined {
    this.#own = undefined;
    const found = this.past.bundleAfter(this.after);
    if (!found) return undefined;
    const { bundle, isShared } = found;
    if (!isShared) this.#own = bundle;
    const piece = bundle.after(this.after, most);
    // A copy of what is shared: a reader that stalls keeps its own piece, and nothing else.
    return piece && isShared ? { ...piece, bytes: Buffer.from(piece.bytes) } : piece;
  }
}
