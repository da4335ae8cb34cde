/** @file GPT-2: learned positions, LayerNorm, a fused projection, weights stored [inputs, outputs]. No tensors. */
import type { ConfigReader } from '../config-reader.js';
import type { ModelConfig } from '../model-config.js';
import type { Linear, Modules } from '../modules.js';
import type { Family, Shared, Tokens } from './family.js';

/** Dimensions under whatever names a GPT gives them. */
export interface GptDimensions {
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly contextLength: number;
  readonly feedForwardWidth: number;
}

/** What GPT-2 and GPT-Neo share: everything but attention and the linear modules. */
export function readGpt(
  reader: ConfigReader,
  { width, heads, layers, contextLength, feedForwardWidth }: GptDimensions,
): Omit<ModelConfig, Shared | Tokens | 'attention'> {
  if (width % heads !== 0) reader.fail('hidden_size', `a multiple of ${heads} heads`, width);
  return {
    vocabularySize: reader.count('vocab_size'),
    width,
    feedForwardWidth,
    layers,
    heads,
    keyValueHeads: heads,
    headWidth: width / heads,
    contextLength,
    norm: { kind: 'layer', epsilon: reader.positive('layer_norm_epsilon', 1e-5), offset: 0 },
    rope: null,
    embeddingScale: 1,
    scoreSoftCap: null,
    logitSoftCap: null,
    activation: reader.activation('activation_function', 'gelu_new'),
    parallel: false,
    modules: gptNames,
  };
}

const gptNames: Modules = {
  base: 'transformer',
  embedding: 'wte',
  positions: 'wpe',
  blocks: 'h',
  finalNorm: 'ln_f',
  heads: ['lm_head'],
  attentionNorm: 'ln_1',
  mlpNorm: 'ln_2',
  postAttentionNorm: null,
  postMlpNorm: null,
  queryNorm: null,
  keyNorm: null,
  headwise: false,
  linears: [],
};

export const gpt2: Family = {
  architecture: 'GPT2LMHeadModel',
  modelType: 'gpt2',
  tied: true,
  read: (reader) => {
    const width = reader.count(['n_embd', 'hidden_size']);
    const feedForwardWidth = reader.count('n_inner', 4 * width);
    const config = readGpt(reader, {
      width,
      heads: reader.count(['n_head', 'num_attention_heads']),
      layers: reader.layers(['n_layer', 'num_hidden_layers']),
      contextLength: reader.count(['n_positions', 'max_position_embeddings'], 1024),
      feedForwardWidth,
    });
    const conv = { bias: true, inputsFirst: true };
    const linears: Linear[] = [
      { ...conv, role: 'qkv', path: 'attn.c_attn', inputs: width, outputs: 3 * width },
      { ...conv, role: 'o', path: 'attn.c_proj', inputs: width, outputs: width },
      { ...conv, role: 'up', path: 'mlp.c_fc', inputs: width, outputs: feedForwardWidth },
      { ...conv, role: 'down', path: 'mlp.c_proj', inputs: feedForwardWidth, outputs: width },
    ];
    const scale = reader.flag('scale_attn_weights', true) ? config.headWidth ** -0.5 : 1;
    const byDepth = reader.flag('scale_attn_by_inverse_layer_idx');
    return {
      ...config,
      attention: Array.from({ length: config.layers }, (_, layer) => ({
        scale: byDepth ? scale / (layer + 1) : scale,
        window: null,
      })),
      modules: { ...config.modules, linears },
    };
  },
};
