/** @file Text generation with a cache of keys and values, row by row of different lengths. Runs through an Engine. */
import { complain, draws } from '../../foundation/index.js';
import type { Engine } from '../engine.js';
import { int32, type HostTensor, type Value } from '../tensor.js';
import { Cache } from './cache.js';
import { decodeProgram, prefillProgram } from './cached.js';
import type { ModelConfig } from './model-config.js';
import { drawnToken, greedyToken, type Sampling } from './sampling.js';

// B batch, T token, V vocabulary

/** Weights that an engine holds. */
export interface GenerationModel {
  readonly config: ModelConfig;
  readonly parameters: Readonly<Record<string, Value>>;
  readonly adapters?: Readonly<Record<string, Value>>;
  /** alpha / rank. */
  readonly adapterScale?: number;
}

/** A latent perturbation that stays on while tokens are generated. */
export interface GenerationPerturbation {
  /** [B,P,D] by site. */
  readonly deltas: Readonly<Record<string, Value>>;
  /** Per row: the slot of each position, −1 for none; positions past its end (generated ones, perhaps) have none. */
  readonly slots: readonly ArrayLike<number>[];
}

/** What to generate. */
export interface GenerationRequest {
  /** Token ids per row, of any lengths but 0. */
  readonly prompts: readonly (readonly number[])[];
  /** A row also ends where the model's context does. */
  readonly maxNewTokens: number;
  /** Tokens that end a row; the model's end-of-sequence tokens if not given. */
  readonly stopTokens?: readonly number[];
  /** Greedy if not given. Each draw is a function of seed, row key and position alone. */
  readonly sampling?: Sampling;
  /** What each row draws by; its number if not given. */
  readonly rowKeys?: readonly (number | string)[];
  readonly perturbation?: GenerationPerturbation;
  /** On which side prompts are padded inside; results do not depend on it. */
  readonly padding?: 'left' | 'right';
}

/** New tokens of one row, the one that stopped it among them. */
export interface Generated {
  readonly tokens: readonly number[];
  readonly stopped: boolean;
}

/** Prompt columns are padded to multiples of this, so that few shapes are compiled. */
const BUCKET = 16;
/** Generated text continues the prompt's segment. */
const PROMPT = 1;

/**
 * Continues every prompt.
 * @throws GENERATE_PROMPT for an empty prompt or a token that the model does not have; GENERATE_CONTEXT for a prompt that
 *   is longer than the model's context; GENERATE_NAN.
 */
export async function generate(
  engine: Engine,
  model: GenerationModel,
  request: GenerationRequest,
): Promise<Generated[]> {
  checkPrompts(model.config, request);
  if (request.prompts.length === 0 || request.maxNewTokens <= 0)
    return request.prompts.map(() => ({ tokens: [], stopped: false }));
  const rows = request.prompts.map((prompt, row) => new Row(model.config, request, row, prompt.length));
  const run = new Generation(engine, model, request);
  let logits = await run.prefill();
  for (;;) {
    const tokens = rows.map((row, index) => row.next(logitsOf(logits, index)));
    if (rows.every((row) => row.done)) return rows.map(({ tokens, stopped }) => ({ tokens, stopped }));
    logits = await run.decode(
      tokens,
      Int32Array.from(rows, (row) => row.position - 1),
    );
  }
}

class Row implements Generated {
  readonly tokens: number[] = [];
  stopped = false;
  done = false;

  constructor(
    private readonly config: ModelConfig,
    private readonly request: GenerationRequest,
    private readonly row: number,
    /** Position of the next token. */
    public position: number,
  ) {}

  /** Takes the next token; a row that is done passes filler on. */
  next(logits_V: ArrayLike<number>): number {
    if (this.done) return 0;
    const { sampling, rowKeys, stopTokens = this.config.eosTokens, maxNewTokens } = this.request;
    const token = sampling
      ? drawnToken(
          logits_V,
          sampling,
          draws(sampling.seed, 'sample', rowKeys?.[this.row] ?? this.row, this.position),
        )
      : greedyToken(logits_V);
    this.tokens.push(token);
    this.position++;
    this.stopped = stopTokens.includes(token);
    this.done =
      this.stopped || this.tokens.length >= maxNewTokens || this.position >= this.config.contextLength;
    return token;
  }
}

/** The programs and the cache of one call. */
class Generation {
  private readonly cache: Cache;
  private readonly columns: number;

  constructor(
    private readonly engine: Engine,
    private readonly model: GenerationModel,
    private readonly request: GenerationRequest,
  ) {
    const longest = Math.max(...request.prompts.map((prompt) => prompt.length));
    this.columns = Math.ceil(longest / BUCKET) * BUCKET;
    this.cache = new Cache(model.config, request.prompts.length, this.columns + request.maxNewTokens);
  }

  async prefill(): Promise<HostTensor> {
    const { prompts, padding } = this.request;
    const size = prompts.length * this.columns;
    const tokens = new Int32Array(size);
    const positions = new Int32Array(size);
    const segments = new Int32Array(size);
    const slots = new Int32Array(size).fill(-1);
    const last = new Int32Array(prompts.length);
    prompts.forEach((prompt, row) => {
      const start = row * this.columns + (padding === 'left' ? this.columns - prompt.length : 0);
      prompt.forEach((token, position) => {
        tokens[start + position] = token;
        positions[start + position] = position;
        segments[start + position] = PROMPT;
        slots[start + position] = this.slot(row, position);
      });
      last[row] = start + prompt.length - 1;
    });
    const result = await this.engine.run(prefillProgram(this.model.config, this.model.adapterScale ?? 1), {
      ...this.inputs({ tokens, positions, segments, slots }, this.columns),
      last: this.engine.upload(int32([prompts.length], last)),
    });
    await this.remember(result, positions, segments);
    return this.engine.download(result.logits);
  }

  /** @param tokens the newest token of each row, at `positions`; its logits come back. */
  async decode(tokens: readonly number[], positions: Int32Array): Promise<HostTensor> {
    const segments = new Int32Array(tokens.length).fill(PROMPT);
    const slots = positions.map((position, row) => this.slot(row, position));
    const held = this.cache.tensors();
    const result = await this.engine.run(decodeProgram(this.model.config, this.model.adapterScale ?? 1), {
      ...this.inputs({ tokens: Int32Array.from(tokens), positions, segments, slots }, 1),
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

  private inputs(
    ids: Readonly<Record<'tokens' | 'positions' | 'segments' | 'slots', Int32Array>>,
    columns: number,
  ) {
    const shape = [this.request.prompts.length, columns];
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
      deltas: this.request.perturbation?.deltas ?? {},
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
    return this.request.perturbation?.slots[row]?.[position] ?? -1;
  }
}

function logitsOf({ data, shape }: HostTensor, row: number): Float32Array | Int32Array {
  const width = shape[1] as number;
  return data.subarray(row * width, (row + 1) * width);
}

function checkPrompts(config: ModelConfig, { prompts }: GenerationRequest): void {
  prompts.forEach((prompt, row) => {
    const owner = `generate, prompt ${row}`;
    const stranger = prompt.find((token) => !(token >= 0 && token < config.vocabularySize));
    if (prompt.length === 0 || stranger !== undefined)
      complain({
        code: 'GENERATE_PROMPT',
        owner,
        expected: `at least one token id below ${config.vocabularySize}`,
        got: stranger === undefined ? 'none' : `${stranger}`,
        hint: "tokenize with the model's own tokenizer",
      });
    if (prompt.length > config.contextLength)
      complain({
        code: 'GENERATE_CONTEXT',
        owner,
        expected: `at most ${config.contextLength} tokens, the model's context`,
        got: `${prompt.length}`,
        hint: 'shorten the prompt',
      });
  });
}
