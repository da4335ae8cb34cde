/** @file Tiny random models and a way to evaluate functions of tensors, for the tests of this folder. */
import { draws } from '../../../foundation/index.js';
import {
  createEngine,
  float32,
  initialParameters,
  int32,
  parseModelConfig,
  tfjsExecutor,
  type HostTensor,
  type Model,
  type ModelConfig,
  type Tensor,
} from '../../../engine/index.js';

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

/** Entries of `config.json` that make {@link tinyConfig} a model of each family, with what is particular to it switched on. */
export const FAMILIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
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
};

/** A model of {@link tinyConfig} with random weights, norms and biases among them. */
export function tinyModel(seed: number, overrides: Readonly<Record<string, unknown>> = {}): Model {
  const config = tinyConfig(overrides);
  const parameters = Object.entries(initialParameters(config, seed)).map(([name, tensor]) => {
    if (tensor.shape.length > 1) return [name, tensor] as const;
    const draw = draws(seed, 'tiny', name);
    return [
      name,
      float32(
        tensor.shape,
        Array.from(tensor.data, (value) => value + 0.3 * draw.normal()),
      ),
    ] as const;
  });
  return { config, parameters: Object.fromEntries(parameters), directory: 'none' };
}

/** Normal noise of a shape. */
export function noise(seed: number, shape: readonly number[], deviation = 1): HostTensor {
  const draw = draws(seed, 'noise', ...shape);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return float32(
    shape,
    Float32Array.from({ length: size }, () => deviation * draw.normal()),
  );
}

/** One row per list of `[token, position, segment]`. */
export function batchOf(rows: readonly (readonly (readonly [number, number, number])[])[]) {
  const shape = [rows.length, rows[0]!.length];
  const ids = (index: 0 | 1 | 2) =>
    int32(
      shape,
      rows.flatMap((row) => row.map((token) => token[index])),
    );
  return { tokens: ids(0), positions: ids(1), segments: ids(2) };
}

type Trees<T> = { readonly [name: string]: T | Trees<T> };

const engine = createEngine(tfjsExecutor());
let evaluations = 0;

/** Runs a function of tensors eagerly on host tensors. */
export async function evaluate<R extends Record<string, Tensor>>(
  args: Trees<HostTensor>,
  compute: (args: never) => R,
): Promise<{ readonly [K in keyof R]: HostTensor }> {
  const result: unknown = await engine.run(
    { name: `test ${evaluations++}`, compute: compute as never },
    args,
  );
  return result as { readonly [K in keyof R]: HostTensor };
}

/** Largest absolute difference. */
export function gap(a: HostTensor, b: HostTensor): number {
  if (a.data.length !== b.data.length) return Infinity;
  return Array.from(a.data).reduce((worst, value, index) => {
    const difference = Math.abs(value - b.data[index]!);
    return difference <= worst ? worst : difference;
  }, 0);
}
