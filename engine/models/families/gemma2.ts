/** @file Gemma 2: norms on both sides of attention and MLP, soft caps, windows in every other layer. No tensors. */
import { llamaNames, attentionBias, readLlama } from './llama.js';
import { windows, type Family } from './family.js';

export const gemma2: Family = {
  architecture: 'Gemma2ForCausalLM',
  modelType: 'gemma2',
  tied: true,
  read: (reader) => {
    const config = readLlama(reader, {
      contextLength: 8192,
      keyValueHeads: 4,
      headWidth: 256,
      attentionBias: attentionBias(reader),
    });
    reader.refuse('use_bidirectional_attention', (value) => value !== false, 'false: attention is causal');
    const window = reader.countOrNull('sliding_window', 4096);
    const scale = reader.positive('query_pre_attn_scalar', 256) ** -0.5;
    return {
      ...config,
      norm: { ...config.norm, offset: 1 },
      // float32, as transformers keeps it.
      embeddingScale: Math.fround(Math.sqrt(config.width)),
      attention: windows(reader, config.layers, window, (layer) => layer % 2 === 0).map((each) => ({
        scale,
        window: each,
      })),
      scoreSoftCap: reader.positiveOrNull('attn_logit_softcapping', 50),
      logitSoftCap: reader.positiveOrNull('final_logit_softcapping', 30),
      activation: reader.activation('hidden_activation', 'gelu_pytorch_tanh'),
      modules: {
        ...llamaNames,
        linears: config.modules.linears,
        mlpNorm: 'pre_feedforward_layernorm',
        postAttentionNorm: 'post_attention_layernorm',
        postMlpNorm: 'post_feedforward_layernorm',
      },
    };
  },
};
