/** @file Llama and its relatives: RMSNorm, rotary positions, grouped-query attention, a gated MLP. No tensors. */
import type { ConfigReader } from '../config-reader.js';
import type { ModelConfig } from '../model-config.js';
import type { Linear, Modules } from '../modules.js';
import { reachOf, readRope, type RopeDialect } from '../rope-config.js';
import { uniform, windows, type Family, type Shared, type Tokens } from './family.js';

/** Where relatives of Llama differ from it. */
export interface Dialect {
  readonly contextLength: number;
  readonly keyValueHeads?: number;
  readonly headWidth?: number;
  readonly attentionBias?: 'none' | 'all' | 'qkv';
  readonly mlpBias?: boolean;
  readonly headNorms?: boolean;
  readonly rope?: Omit<RopeDialect, 'headWidth' | 'contextLength'>;
}

/** The part of a configuration that relatives of Llama share. */
export function readLlama(reader: ConfigReader, dialect: Dialect): Omit<ModelConfig, Shared | Tokens> {
  const width = reader.count('hidden_size');
  const heads = reader.count('num_attention_heads');
  const layers = reader.layers('num_hidden_layers');
  const contextLength = reader.count('max_position_embeddings', dialect.contextLength);
  const keyValueHeads = reader.countOrNull('num_key_value_heads', dialect.keyValueHeads ?? null) ?? heads;
  const headWidth = reader.count('head_dim', dialect.headWidth ?? width / heads);
  const feedForwardWidth = reader.count('intermediate_size');
  if (heads % keyValueHeads !== 0)
    reader.fail('num_key_value_heads', `a divisor of ${heads} heads`, keyValueHeads);
  const rope = readRope(reader.entries, { ...dialect.rope, headWidth, contextLength }, reader.owner);
  return {
    vocabularySize: reader.count('vocab_size'),
    width,
    feedForwardWidth,
    layers,
    heads,
    keyValueHeads,
    headWidth,
    contextLength: reachOf(rope, contextLength),
    norm: { kind: 'rms', epsilon: reader.positive('rms_norm_eps', 1e-6), offset: 0 },
    rope,
    embeddingScale: 1,
    attention: uniform(layers, { scale: 1 / Math.sqrt(headWidth), window: null }),
    scoreSoftCap: null,
    logitSoftCap: null,
    activation: reader.activation('hidden_act', 'silu'),
    parallel: false,
    modules: {
      ...llamaNames,
      ...(dialect.headNorms && { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' }),
      linears: llamaLinears({ width, feedForwardWidth, heads, keyValueHeads, headWidth }, dialect),
    },
  };
}

/** Module names of Llama. */
export const llamaNames: Omit<Modules, 'linears'> = {
  base: 'model',
  embedding: 'embed_tokens',
  positions: null,
  blocks: 'layers',
  finalNorm: 'norm',
  heads: ['lm_head'],
  attentionNorm: 'input_layernorm',
  mlpNorm: 'post_attention_layernorm',
  postAttentionNorm: null,
  postMlpNorm: null,
  queryNorm: null,
  keyNorm: null,
  headwise: false,
};

type Dimensions = Pick<ModelConfig, 'width' | 'feedForwardWidth' | 'heads' | 'keyValueHeads' | 'headWidth'>;

function llamaLinears(
  dimensions: Dimensions,
  { attentionBias = 'none', mlpBias = false }: Dialect,
): Linear[] {
  const { width, feedForwardWidth } = dimensions;
  const mixed = dimensions.heads * dimensions.headWidth;
  const shared = dimensions.keyValueHeads * dimensions.headWidth;
  const qkv = { inputs: width, bias: attentionBias !== 'none', inputsFirst: false };
  const mlp = { bias: mlpBias, inputsFirst: false };
  return [
    { ...qkv, role: 'q', path: 'self_attn.q_proj', outputs: mixed },
    { ...qkv, role: 'k', path: 'self_attn.k_proj', outputs: shared },
    { ...qkv, role: 'v', path: 'self_attn.v_proj', outputs: shared },
    {
      ...qkv,
      role: 'o',
      path: 'self_attn.o_proj',
      inputs: mixed,
      outputs: width,
      bias: attentionBias === 'all',
    },
    { ...mlp, role: 'gate', path: 'mlp.gate_proj', inputs: width, outputs: feedForwardWidth },
    { ...mlp, role: 'up', path: 'mlp.up_proj', inputs: width, outputs: feedForwardWidth },
    { ...mlp, role: 'down', path: 'mlp.down_proj', inputs: feedForwardWidth, outputs: width },
  ];
}

/** `attention_bias` as Llama, Qwen3 and Gemma 2 mean it. */
export function attentionBias(reader: ConfigReader): 'all' | 'none' {
  return reader.flag('attention_bias') ? 'all' : 'none';
}

export const llama: Family = {
  architecture: 'LlamaForCausalLM',
  modelType: 'llama',
  tied: false,
  read: (reader) =>
    readLlama(reader, {
      contextLength: 2048,
      attentionBias: attentionBias(reader),
      mlpBias: reader.flag('mlp_bias'),
    }),
};

/** Every layer slides where there is a window. */
export const mistral: Family = {
  architecture: 'MistralForCausalLM',
  modelType: 'mistral',
  tied: false,
  read: (reader) => {
    const config = readLlama(reader, { contextLength: 131_072, keyValueHeads: 8 });
    const window = reader.countOrNull('sliding_window', 4096);
    return { ...config, attention: config.attention.map((layer) => ({ ...layer, window })) };
  },
};

export const qwen2: Family = {
  architecture: 'Qwen2ForCausalLM',
  modelType: 'qwen2',
  tied: false,
  read: (reader) =>
    upperWindows(
      reader,
      readLlama(reader, { contextLength: 32_768, keyValueHeads: 32, attentionBias: 'qkv' }),
    ),
};

export const qwen3: Family = {
  architecture: 'Qwen3ForCausalLM',
  modelType: 'qwen3',
  tied: false,
  read: (reader) =>
    upperWindows(
      reader,
      readLlama(reader, {
        contextLength: 32_768,
        keyValueHeads: 32,
        headWidth: 128,
        attentionBias: attentionBias(reader),
        headNorms: true,
      }),
    ),
};

/** Qwen's windows: off unless asked for, and then in the layers from `max_window_layers` on. */
function upperWindows<C extends Pick<ModelConfig, 'layers' | 'attention'>>(
  reader: ConfigReader,
  config: C,
): C {
  const window = reader.flag('use_sliding_window') ? reader.countOrNull('sliding_window', 4096) : null;
  const lowest = Number(reader.entries['max_window_layers'] ?? 28);
  const byLayer = windows(reader, config.layers, window, (layer) => window !== null && layer >= lowest);
  return {
    ...config,
    attention: config.attention.map((each, layer) => ({ ...each, window: byLayer[layer] ?? null })),
  };
}
