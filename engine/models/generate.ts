/** @file Text generation with a cache of keys and values, row by row of different lengths. Runs through an Engine. */
import { complain, draws } from '../../foundation/index.js';
import type { Engine } from '../engine.js';
import type { HostTensor } from '../tensor.js';
import { Generation } from './generation.js';
import type { GenerationModel, GenerationRequest } from './generation-request.js';
import type { ModelConfig } from './model-config.js';
import { drawnToken, greedyToken } from './sampling.js';

// V vocabulary

/** With fewer tokens to come than this, a batch is not made smaller. */
const WORTHWHILE = 8;

/** Why a row ended: a stop token, {@link GenerationRequest.stop}, as many tokens as wanted, or the end of the model's context. */
export type Ending = 'stop-token' | 'stop' | 'length' | 'context';

/** New tokens of one row, the one that ended it among them. */
export interface Generated {
  readonly tokens: readonly number[];
  readonly ended: Ending;
}

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
  checkPrompts(model.config, request.prompts);
  if (request.prompts.length === 0 || request.maxNewTokens <= 0)
    return request.prompts.map(() => ({ tokens: [], ended: 'length' }));
  const rows = request.prompts.map((prompt, row) => new Row(model.config, request, row, prompt.length));
  const run = new Generation(engine, model, request);
  let batch: readonly Row[] = rows;
  let logits = await run.prefill();
  for (;;) {
    let tokens = batch.map((row, index) => row.next(logitsOf(logits, index)));
    if (batch.every((row) => row.ended))
      return rows.map(({ tokens, ended }) => ({ tokens, ended: ended as Ending }));
    const kept = keptRows(batch, request.maxNewTokens);
    if (kept.length < batch.length) {
      await run.keep(kept);
      batch = kept.map((index) => batch[index] as Row);
      tokens = kept.map((index) => tokens[index] as number | null);
    }
    logits = await run.decode(tokens);
  }
}

/**
 * Which rows of a batch are run on: those that go on, and ended ones beside them up to a power of two, since every size
 * is a program of its own. All, where few tokens may come: compiling takes as long as some.
 */
function keptRows(batch: readonly Row[], maxNewTokens: number): number[] {
  const all = [...batch.keys()];
  const living = all.filter((index) => !batch[index]?.ended);
  const made = batch[living[0] as number]?.tokens.length ?? 0;
  const size = 2 ** Math.ceil(Math.log2(living.length));
  if (size >= batch.length || maxNewTokens - made < WORTHWHILE) return all;
  const ended = all.filter((index) => batch[index]?.ended);
  return [...living, ...ended.slice(0, size - living.length)];
}

class Row {
  readonly tokens: number[] = [];
  ended: Ending | null = null;

  constructor(
    private readonly config: ModelConfig,
    private readonly request: GenerationRequest,
    private readonly row: number,
    /** Of the next token. */
    private position: number,
  ) {}

  /** Takes the next token; null from a row that has ended. */
  next(logits_V: ArrayLike<number>): number | null {
    if (this.ended) return null;
    const { sampling, rowKeys } = this.request;
    const token = sampling
      ? drawnToken(
          logits_V,
          sampling,
          draws(sampling.seed, 'sample', rowKeys?.[this.row] ?? this.row, this.position),
        )
      : greedyToken(logits_V);
    this.tokens.push(token);
    this.position++;
    this.ended = this.endingAt(token);
    return token;
  }

  private endingAt(token: number): Ending | null {
    const { stop, stopTokens = this.config.eosTokens, maxNewTokens } = this.request;
    const stopped = stop?.(this.tokens, this.row) ?? false;
    if (stopTokens.includes(token)) return 'stop-token';
    if (stopped) return 'stop';
    if (this.tokens.length >= maxNewTokens) return 'length';
    return this.position >= this.config.contextLength ? 'context' : null;
  }
}

function logitsOf({ data, shape }: HostTensor, row: number): Float32Array | Int32Array {
  const width = shape[1] as number;
  return data.subarray(row * width, (row + 1) * width);
}

/** @throws GENERATE_PROMPT and GENERATE_CONTEXT as {@link generate} does. */
export function checkPrompts(config: ModelConfig, prompts: GenerationRequest['prompts']): void {
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
