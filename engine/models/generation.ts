/** @file The programs and the cache of one generation. Runs through an Engine. */
import type { Engine } from '../engine.js';
import { float32, int32, rowsOf, type HostTensor, type Value } from '../tensor.js';
import { Cache } from './cache.js';
import { decodeProgram, prefillProgram } from './cached.js';
import type { GenerationModel, GenerationPerturbation, GenerationRequest } from './generation-request.js';
import { frequencyRegime } from './rope-frequencies.js';

// B batch, T token, V vocabulary

/** Prompt columns are padded to multiples of this, so that few shapes are compiled. */
const BUCKET = 16;
/** Generated text continues the prompt's segment. */
const PROMPT = 1;
/** What rows that are done go on with. */
const FILLER = 0;

/** The programs and the cache of one call. Rows are those that it still runs, see {@link Generation.keep}. */
export class Generation {
  private cache: Cache;
  /** Tokens of each row so far. */
  private sequences: readonly number[][];
  /** The rotary frequencies that each row's cached keys were made with. */
  private regimes: readonly number[] = [];
  private perturbation: GenerationPerturbation;

  constructor(
    private readonly engine: Engine,
    private readonly model: GenerationModel,
    private readonly request: GenerationRequest,
  ) {
    this.perturbation = request.perturbation ?? { deltas: {}, slots: [] };
    this.sequences = request.prompts.map((prompt) => [...prompt]);
    this.cache = this.emptyCache(0);
  }

  /** Runs all rows from their beginning. @returns logits [B,V] of each row's last token. */
  async prefill(): Promise<HostTensor> {
    const { sequences } = this;
    const columns = Math.ceil(Math.max(...sequences.map((row) => row.length)) / BUCKET) * BUCKET;
    const size = sequences.length * columns;
    const tokens = new Int32Array(size);
    const positions = new Int32Array(size);
    const segments = new Int32Array(size);
    const slots = new Int32Array(size).fill(-1);
    const last = new Int32Array(sequences.length);
    sequences.forEach((sequence, row) => {
      const start = row * columns + (this.request.padding === 'left' ? columns - sequence.length : 0);
      sequence.forEach((token, position) => {
        tokens[start + position] = token;
        positions[start + position] = position;
        segments[start + position] = PROMPT;
        slots[start + position] = this.slot(row, position);
      });
      last[row] = start + sequence.length - 1;
    });
    const result = await this.engine.run(prefillProgram(this.model.config, this.model.adapterScale ?? 1), {
      ...this.inputs({ tokens, positions, segments, slots }, columns),
      last: this.engine.upload(int32([sequences.length], last)),
    });
    this.cache = this.emptyCache(columns);
    this.regimes = this.currentRegimes();
    await this.remember(result, positions, segments);
    return this.engine.download(result.logits);
  }

  /**
   * Runs one token more. Where that changes a row's rotary frequencies, what is cached was made with others: all rows
   * are run from their beginning.
   * @param newest tokens, null for rows that are done. @returns logits [B,V]; those of rows that are done mean nothing.
   */
  async decode(newest: readonly (number | null)[]): Promise<HostTensor> {
    newest.forEach((token, row) => {
      if (token !== null) this.sequences[row]?.push(token);
    });
    const stale = this.currentRegimes().some((regime, row) => regime !== this.regimes[row]);
    return stale ? this.prefill() : this.decodeCached(newest);
  }

  /** Goes on with these rows only, in this order: the others cost nothing more. */
  async keep(rows: readonly number[]): Promise<void> {
    const { deltas, slots } = this.perturbation;
    const kept = Object.entries(deltas).map(async ([site, value]) => {
      const { data, shape } = await this.engine.download(value);
      const chosen = rowsOf(data as Float32Array, this.sequences.length, rows);
      return [site, this.engine.upload(float32([rows.length, ...shape.slice(1)], chosen))] as const;
    });
    this.perturbation = {
      deltas: Object.fromEntries(await Promise.all(kept)),
      slots: rows.map((row) => slots[row] ?? []),
    };
    this.cache.keep(rows);
    this.sequences = rows.map((row) => this.sequences[row] as number[]);
    this.regimes = rows.map((row) => this.regimes[row] as number);
  }

  private currentRegimes(): number[] {
    return this.sequences.map(({ length }) => frequencyRegime(this.model.config.rope, length));
  }

  private async decodeCached(newest: readonly (number | null)[]): Promise<HostTensor> {
    const tokens = Int32Array.from(newest, (token) => token ?? FILLER);
    const positions = Int32Array.from(this.sequences, ({ length }) => length - 1);
    const segments = new Int32Array(tokens.length).fill(PROMPT);
    const slots = positions.map((position, row) => this.slot(row, position));
    const held = this.cache.tensors();
    const result = await this.engine.run(decodeProgram(this.model.config, this.model.adapterScale ?? 1), {
      ...this.inputs({ tokens, positions, segments, slots }, 1),
      held: {
        positions: this.engine.upload(held.positions),
        segments: this.engine.upload(held.segments),
      },
      keys: this.uploaded(held.keys),
      values: this.uploaded(held.values),
    });
    await this.remember(result, positions, segments);
    return this.engine.download(result.logits);
  }

  private emptyCache(columns: number): Cache {
    const { maxNewTokens } = this.request;
    return new Cache(this.model.config, this.sequences.length, columns + maxNewTokens);
  }

  private inputs(
    ids: Readonly<Record<'tokens' | 'positions' | 'segments' | 'slots', Int32Array>>,
    columns: number,
  ) {
    const shape = [this.sequences.length, columns];
    const { slots, ...batch } = ids;
    const upload = (data: Int32Array): Value => this.engine.upload(int32(shape, data));
    return {
      parameters: this.model.parameters,
      adapters: this.model.adapters ?? {},
      batch: {
        tokens: upload(batch.tokens),
        positions: upload(batch.positions),
        segments: upload(batch.segments),
      },
      deltas: this.perturbation.deltas,
      slots: upload(slots),
    };
  }

  private async remember(
    result: Readonly<Record<'keys' | 'values', Readonly<Record<string, Value>>>>,
    positions: Int32Array,
    segments: Int32Array,
  ): Promise<void> {
    const downloaded = async (values: Readonly<Record<string, Value>>) =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(values).map(async ([layer, value]) => [layer, await this.engine.download(value)]),
        ),
      ) as Record<string, HostTensor>;
    const entries = { keys: await downloaded(result.keys), values: await downloaded(result.values) };
    this.cache.append(entries, positions, segments);
  }

  private uploaded(tensors: Readonly<Record<string, HostTensor>>): Record<string, Value> {
    return Object.fromEntries(
      Object.entries(tensors).map(([layer, tensor]) => [layer, this.engine.upload(tensor)]),
    );
  }

  private slot(row: number, position: number): number {
    return this.perturbation.slots[row]?.[position] ?? -1;
  }
}
