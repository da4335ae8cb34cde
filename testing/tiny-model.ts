/**
 * @file Tiny models of every family with seeded random weights, small enough for properties; each with what is particular
 * to its family switched on.
 */
import {
  float32,
  initialAdapters,
  initialParameters,
  parseModelConfig,
  projectionNames,
  sizeOf,
  type Engine,
  type HostTensor,
  type LoraConfig,
  type ModelConfig,
  type Value,
} from '../engine/index.js';
import { draws } from '../foundation/index.js';
import type { Model, ModelWeights } from '../operators/index.js';

/** A configuration of two layers with grouped queries; `overrides` are entries of `config.json`. */
export function tinyConfig(overrides: Readonly<Record<string, unknown>> = {}): ModelConfig {
  return parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    vocab_size: 11,
    hidden_size: 8,
    intermediate_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 4,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    initializer_range: 0.4,
    eos_token_id: 2,
    ...overrides,
  });
}

/** Entries of `config.json` that make {@link tinyConfig} a model of each family. */
export const FAMILIES = {
  llama: {},
  mistral: { architectures: ['MistralForCausalLM'], sliding_window: 3 },
  qwen2: {
    architectures: ['Qwen2ForCausalLM'],
    use_sliding_window: true,
    sliding_window: 3,
    max_window_layers: 1,
  },
  qwen3: { architectures: ['Qwen3ForCausalLM'], attention_bias: true, tie_word_embeddings: true },
  gemma2: {
    architectures: ['Gemma2ForCausalLM'],
    query_pre_attn_scalar: 6,
    sliding_window: 3,
    attn_logit_softcapping: 1.5,
    final_logit_softcapping: 4,
  },
  phi3: { architectures: ['Phi3ForCausalLM'], partial_rotary_factor: 0.5, sliding_window: 4 },
  gpt2: {
    architectures: ['GPT2LMHeadModel'],
    n_inner: 10,
    scale_attn_by_inverse_layer_idx: true,
    tie_word_embeddings: false,
  },
  gpt_neox: { architectures: ['GPTNeoXForCausalLM'], num_attention_heads: 2, rotary_pct: 0.5 },
  gpt_neox_sequential: {
    architectures: ['GPTNeoXForCausalLM'],
    rotary_pct: 1,
    use_parallel_residual: false,
    attention_bias: false,
  },
  gpt_neo: {
    architectures: ['GPTNeoForCausalLM'],
    attention_types: [[['global', 'local'], 1]],
    window_size: 3,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type Family = keyof typeof FAMILIES;

/** A model and its weights, both a function of family and seed. */
export interface TinyModel {
  readonly model: Model;
  /** Fresh copies each time. */
  readonly weights: (engine: Engine) => ModelWeights;
}

/** A model of a family with weights large enough to hold on to, norms, biases and adapters among them. */
export function tinyModel(family: Family, seed: number): TinyModel {
  const config = tinyConfig(FAMILIES[family]);
  const lora = { rank: 2, alpha: 4, projections: projectionNames(config) };
  return {
    model: { config, adapterScale: lora.alpha / lora.rank },
    weights: (engine) => ({
      parameters: uploaded(engine, tinyParameters(config, seed)),
      adapters: uploaded(engine, tinyAdapters(config, lora, seed)),
    }),
  };
}

/** Initial parameters, with norms and biases that are not 1 and 0. */
export function tinyParameters(config: ModelConfig, seed: number): Record<string, HostTensor> {
  const parameters = Object.entries(initialParameters(config, seed)).map(([name, tensor]) => {
    if (tensor.shape.length > 1) return [name, tensor] as const;
    const draw = draws(seed, 'tiny', name);
    const data = Array.from(tensor.data, (value) => value + 0.3 * draw.normal());
    return [name, float32(tensor.shape, data)] as const;
  });
  return Object.fromEntries(parameters);
}

/** Adapters of which both matrices are random. */
export function tinyAdapters(
  config: ModelConfig,
  lora: LoraConfig,
  seed: number,
): Record<string, HostTensor> {
  const adapters = Object.entries(initialAdapters(config, lora, seed)).map(
    ([name, tensor]) =>
      [name, name.endsWith('lora_B') ? randomTensor(tensor.shape, 0.2, seed, name) : tensor] as const,
  );
  return Object.fromEntries(adapters);
}

/** Normal entries of a deviation, a function of the key. */
export function randomTensor(
  shape: readonly number[],
  deviation: number,
  seed: number,
  name: string,
): HostTensor {
  const draw = draws(seed, 'test-tensor', name);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => draw.normal() * deviation),
  );
}

/** Every tensor where the engine keeps values. */
export function uploaded(
  engine: Engine,
  tensors: Readonly<Record<string, HostTensor>>,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, engine.upload(tensor)]));
}
