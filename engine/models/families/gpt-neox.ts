/** @file GPT-NeoX and Pythia: attention and MLP side by side, heads that turn in part, q, k and v fused head by head. */
import type { Linear } from '../modules.js';
import { reachOf, readRope } from '../rope-config.js';
import { uniform, type Family } from './family.js';

export const gptNeoX: Family = {
  architecture: 'GPTNeoXForCausalLM',
  modelType: 'gpt_neox',
  tied: false,
  read: (reader) => {
    const width = reader.count('hidden_size');
    const heads = reader.count('num_attention_heads');
    const layers = reader.layers('num_hidden_layers');
    const feedForwardWidth = reader.count('intermediate_size');
    const contextLength = reader.count('max_position_embeddings', 2048);
    if (width % heads !== 0) reader.fail('hidden_size', `a multiple of ${heads} heads`, width);
    const headWidth = width / heads;
    const attention = { bias: reader.flag('attention_bias', true), inputsFirst: false };
    const mlp = { bias: true, inputsFirst: false };
    const linears: Linear[] = [
      { ...attention, role: 'qkv', path: 'attention.query_key_value', inputs: width, outputs: 3 * width },
      { ...attention, role: 'o', path: 'attention.dense', inputs: width, outputs: width },
      { ...mlp, role: 'up', path: 'mlp.dense_h_to_4h', inputs: width, outputs: feedForwardWidth },
      { ...mlp, role: 'down', path: 'mlp.dense_4h_to_h', inputs: feedForwardWidth, outputs: width },
    ];
    const dialect = {
      headWidth,
      contextLength,
      thetaKey: 'rotary_emb_base',
      partial: { key: 'rotary_pct', fallback: 0.25 },
    };
    const rope = readRope(reader.entries, dialect, reader.owner);
    return {
      vocabularySize: reader.count('vocab_size'),
      width,
      feedForwardWidth,
      layers,
      heads,
      keyValueHeads: heads,
      headWidth,
      contextLength: reachOf(rope, contextLength),
      norm: { kind: 'layer', epsilon: reader.positive('layer_norm_eps', 1e-5), offset: 0 },
      rope,
      embeddingScale: 1,
      attention: uniform(layers, { scale: headWidth ** -0.5, window: null }),
      scoreSoftCap: null,
      logitSoftCap: null,
      activation: reader.activation('hidden_act', 'gelu'),
      parallel: reader.flag('use_parallel_residual', true),
      modules: {
        base: 'gpt_neox',
        embedding: 'embed_in',
        positions: null,
        blocks: 'layers',
        finalNorm: 'final_layer_norm',
        heads: ['embed_out', 'lm_head'],
        attentionNorm: 'input_layernorm',
        mlpNorm: 'post_attention_layernorm',
        postAttentionNorm: null,
        postMlpNorm: null,
        queryNorm: null,
        keyNorm: null,
        headwise: true,
        linears,
      },
    };
  },
};
