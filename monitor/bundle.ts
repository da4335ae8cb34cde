/** @file Metrics as they go over the wire, many in one piece that all viewers share. No I/O. */
import type { Metric } from '../streams/index.js';
import { textFrame } from './frame.js';
import { seriesOf } from './history.js';
import type { ServerMessage } from './protocol.js';

/** A metric, made ready once for all viewers. */
export interface Update {
  readonly sequence: number;
  readonly series: string;
  readonly frame: Buffer;
}

export function updateOf(metric: Metric): Update {
  const message: ServerMessage = { type: 'metric', ...metric };
  return {
    sequence: metric.sequence,
    series: seriesOf(metric),
    frame: textFrame(JSON.stringify(message)),
  };
}

/** Whole frames. */
export interface Piece {
  readonly bytes: Buffer;
  /** The sequence number of the last one. */
  readonly last: number;
}

/** What a viewer is sent before it is live, piece by piece. */
export interface Reader {
  /**
   * @param most bytes, but for a single longer frame
   * @returns undefined where there is nothing more now; a piece may be empty
   */
  next(most: number): Piece | undefined;
  /** Nobody reads on. @returns what is left of what is not newer than the last piece; in sequence */
  end(): readonly Update[];
}

/** Frames behind one another, in sequence. */
export class Bundle {
  readonly #bytes: Buffer;
  readonly #series: readonly string[];
  readonly #sequences: readonly number[];
  /** Where each frame ends. */
  readonly #ends: readonly number[];

  /** @param updates at least one, in sequence. */
  constructor(updates: readonly Update[]) {
    this.#bytes = Buffer.concat(updates.map(({ frame }) => frame));
    this.#series = updates.map(({ series }) => series);
    this.#sequences = updates.map(({ sequence }) => sequence);
    let end = 0;
    this.#ends = updates.map(({ frame }) => (end += frame.length));
  }

  get length(): number {
    return this.#sequences.length;
  }

  get last(): number {
    return this.#sequences.at(-1) ?? -1;
  }

  /**
   * The frames of what is newer than `sequence`.
   * @param most bytes; at least one frame comes, however long it is
   * @returns a view; undefined where nothing is newer
   */
  after(sequence: number, most = Infinity): Piece | undefined {
    const first = this.#countUpTo(sequence);
    if (first === this.#sequences.length) return undefined;
    const begin = this.#ends[first - 1] ?? 0;
    let past = first + 1;
    while (past < this.#ends.length && (this.#ends[past] as number) - begin <= most) past++;
    return {
      bytes: this.#bytes.subarray(begin, this.#ends[past - 1]),
      last: this.#sequences[past - 1] as number,
    };
  }

  /** One by one, what is newer than `sequence`. */
  *updates(sequence: number): Generator<Update> {
    for (let at = this.#countUpTo(sequence); at < this.#sequences.length; at++)
      yield {
        sequence: this.#sequences[at] as number,
        series: this.#series[at] as string,
        frame: this.#bytes.subarray(this.#ends[at - 1] ?? 0, this.#ends[at]),
      };
  }

  #countUpTo(sequence: number): number {
    let [low, high] = [0, this.#sequences.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sequences[middle] as number) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Two as one; `second` is newer. */
export function merged(first: Bundle, second: Bundle): Bundle {
  return new Bundle([...first.updates(-1), ...second.updates(-1)]);
}
