/** @file A seeded random decoder, small enough for properties, with adapters that do something. */
import { initialParameters, parseModelConfig, type Engine } from '../../engine/index.js';
import type { Model, ModelWeights } from '../../operators/index.js';
import { tinyAdapters, uploaded } from '../../testing/index.js';

export const TINY_VOCABULARY = 24;
export const TINY_LAYERS = 3;
export const TINY_WIDTH = 16;
export const TINY_LORA = { rank: 2, alpha: 4, projections: ['q_proj', 'v_proj', 'down_proj'] } as const;

/** Weights large enough that attacks and defences have something to hold on to. */
export const tinyModel: Model = {
  config: parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    vocab_size: TINY_VOCABULARY,
    hidden_size: TINY_WIDTH,
    intermediate_size: 24,
    num_hidden_layers: TINY_LAYERS,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 64,
    initializer_range: 0.3,
    rope_parameters: { rope_type: 'default', rope_theta: 10000 },
    tie_word_embeddings: false,
  }),
  adapterScale: TINY_LORA.alpha / TINY_LORA.rank,
};

/** Weights of {@link tinyModel}, a function of the seed; both matrices of each adapter are random. */
export function tinyWeights(engine: Engine, seed: number): ModelWeights {
  return {
    parameters: uploaded(engine, initialParameters(tinyModel.config, seed)),
    adapters: uploaded(engine, tinyAdapters(tinyModel.config, TINY_LORA, seed)),
  };
}
