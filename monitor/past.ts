/** @file The history as it goes over the wire: made ready once for viewers that come at about the same time. */
import { Bundle, updateOf, type Piece, type Reader, type Update } from './bundle.js';
import type { History } from './history.js';
import { ThinnedPast, unframed } from './thinned-past.js';
import type { Thinning } from './thinning.js';

/** Metrics that one reader makes ready for itself; more are shared. */
const FEW = 200;

export class Past {
  #shared: { readonly after: number; readonly bundle: Bundle } | undefined;
  #readers = 0;

  constructor(private readonly history: History) {}

  /** Somebody begins to read behind a sequence number. */
  reader(after: number): PastReader {
    this.#readers += 1;
    if (this.#shared && this.history.next - this.#shared.bundle.last > FEW) this.#shared = undefined;
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

  /** One reader less; without any, nothing is kept. */
  leave(): void {
    this.#readers -= 1;
    if (this.#readers === 0) this.#shared = undefined;
  }

  /** What many may share behind a sequence number, or else all of it; undefined where nothing is newer. */
  bundleAfter(sequence: number): { readonly bundle: Bundle; readonly isShared: boolean } | undefined {
    const shared = this.#shared;
    if (shared && sequence >= shared.after && sequence < shared.bundle.last)
      return { bundle: shared.bundle, isShared: true };
    const missing = this.history.after(sequence);
    if (missing.length === 0) return undefined;
    const bundle = new Bundle(missing.map(updateOf));
    const isShared = missing.length > FEW;
    if (isShared) this.#shared = { after: sequence, bundle };
    return { bundle, isShared };
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
