/** @file Text generation with a cache of keys and values, row by row of different lengths. Runs through an Engine. */
import { complain, draws } from '../../foundation/index.js';
import type { Engine } from '../engine.js';
import type { HostTensor } from '../tensor.js';
import { Generation } from './generation.js';
import type { GenerationModel, GenerationRequest } from './generation-request.js';
import type { ModelConfig } from './model-config.js';
import { drawnToken, greedyToken } from './sampling.js';

// V vocabulary

/** New tokens of one row, the one that stopped it among them. */
export interface Generated {
  readonly tokens: readonly number[];
  readonly stopped: boolean;
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
  checkPrompts(model.config, request);
  if (request.prompts.length === 0 || request.maxNewTokens <= 0)
    return request.prompts.map(() => ({ tokens: [], stopped: false }));
  const rows = request.prompts.map((prompt, row) => new Row(model.config, request, row, prompt.length));
  const run = new Generation(engine, model, request);
  let logits = await run.prefill();
  for (;;) {
    const tokens = rows.map((row, index) => row.next(logitsOf(logits, index)));
    if (rows.every((row) => row.done)) return rows.map(({ tokens, stopped }) => ({ tokens, stopped }));
    logits = await run.decode(tokens);
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
    /** Of the next token. */
    private position: number,
  ) {}

  /** Takes the next token; null from a row that is done. */
  next(logits_V: ArrayLike<number>): number | null {
    if (this.done) return null;
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
