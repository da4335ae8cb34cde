/** @file Keys and values of earlier tokens in host memory, in buckets of columns. Knows nothing about programs. */
import { float32, int32, rowsOf, type HostTensor } from '../tensor.js';
import type { ModelConfig } from './model-config.js';

// B row, G key-value head, S column of the cache, C new columns, K head width

/** What a program adds: keys and values [B,G,C,K] by layer. */
export type NewEntries = Readonly<Record<'keys' | 'values', Readonly<Record<string, HostTensor>>>>;

/** Columns are allocated in multiples of this, so that few shapes are compiled. */
const BUCKET = 64;
/** Up to this many columns the whole generation is allocated at once; above, capacity doubles. */
const AT_ONCE = 256;

/** The cache of one generation. All rows append at the same column; padding is hidden by its segment. */
export class Cache {
  private keys: Float32Array[];
  private values: Float32Array[];
  private positions: Int32Array;
  private segments: Int32Array;
  private used = 0;
  private capacity = 0;

  /** @param limit columns that the generation will need at most. */
  constructor(
    private readonly config: ModelConfig,
    private rows: number,
    private readonly limit: number,
  ) {
    this.keys = Array.from({ length: config.layers }, () => new Float32Array());
    this.values = this.keys.slice();
    this.positions = new Int32Array();
    this.segments = new Int32Array();
  }

  /** Appends C columns. @param positions [B·C]. @param segments [B·C]. */
  append(entries: NewEntries, positions: Int32Array, segments: Int32Array): void {
    const columns = positions.length / this.rows;
    if (this.used + columns > this.capacity) this.grow(this.used + columns);
    const { keyValueHeads, headWidth } = this.config;
    for (let layer = 0; layer < this.config.layers; layer++)
      for (const kind of ['keys', 'values'] as const)
        this.copy(
          (entries[kind][layer] as HostTensor).data,
          this[kind][layer] as Float32Array,
          this.rows * keyValueHeads,
          headWidth,
        );
    this.copy(positions, this.positions, this.rows, 1);
    this.copy(segments, this.segments, this.rows, 1);
    this.used += columns;
  }

  /** Goes on with these rows only, in this order. */
  keep(rows: readonly number[]): void {
    const kept = <A extends Float32Array | Int32Array>(data: A): A => rowsOf(data, this.rows, rows);
    this.keys = this.keys.map(kept);
    this.values = this.values.map(kept);
    this.positions = kept(this.positions);
    this.segments = kept(this.segments);
    this.rows = rows.length;
  }

  /** The whole cache, unused columns being padding: keys and values [B,G,S,K] by layer, ids [B,S]. */
  tensors(): NewEntries & { readonly positions: HostTensor; readonly segments: HostTensor } {
    const shape = [this.rows, this.config.keyValueHeads, this.capacity, this.config.headWidth];
    const byLayer = (data: readonly Float32Array[]): Record<string, HostTensor> =>
      Object.fromEntries(data.map((layer, index) => [index, float32(shape, layer)]));
    return {
      keys: byLayer(this.keys),
      values: byLayer(this.values),
      positions: int32([this.rows, this.capacity], this.positions),
      segments: int32([this.rows, this.capacity], this.segments),
    };
  }

  /** Copies [outer, C, width] behind the used columns of [outer, S, width]. */
  private copy(
    from: Float32Array | Int32Array,
    to: Float32Array | Int32Array,
    outer: number,
    width: number,
  ): void {
    const block = from.length / outer;
    for (let index = 0; index < outer; index++)
      to.set(from.subarray(index * block, (index + 1) * block), (index * this.capacity + this.used) * width);
  }

  private grow(needed: number): void {
    const wished = Math.min(Math.max(this.limit, needed), Math.max(AT_ONCE, 2 * this.capacity, needed));
    const before = this.capacity;
    this.capacity = Math.ceil(wished / BUCKET) * BUCKET;
    const widened = <A extends Float32Array | Int32Array>(old: A, fresh: A, outer: number): A => {
      const [from, to] = [old.length / outer, fresh.length / outer];
      for (let index = 0; before > 0 && index < outer; index++)
        fresh.set(old.subarray(index * from, (index + 1) * from), index * to);
      return fresh;
    };
    const heads = this.rows * this.config.keyValueHeads;
    const size = heads * this.capacity * this.config.headWidth;
    this.keys = this.keys.map((old) => widened(old, new Float32Array(size), heads));
    this.values = this.values.map((old) => widened(old, new Float32Array(size), heads));
    const ids = this.rows * this.capacity;
    this.positions = widened(this.positions, new Int32Array(ids), this.rows);
    this.segments = widened(this.segments, new Int32Array(ids), this.rows);
  }
}
