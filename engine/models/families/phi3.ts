/** @file Phi-3: Llama with fused projections, heads that turn in part, and long contexts by `longrope`. No tensors. */
import type { Linear } from '../modules.js';
import { readLlama } from './llama.js';
import type { Family } from './family.js';

export const phi3: Family = {
  architecture: 'Phi3ForCausalLM',
  modelType: 'phi3',
  tied: false,
  read: (reader) => {
    const config = readLlama(reader, {
      contextLength: 4096,
      rope: {
        partial: { key: 'partial_rotary_factor', fallback: 1 },
        originalContextLength: 4096,
        aliases: ['su', 'yarn'],
      },
    });
    const scaling = config.rope?.scaling?.kind ?? 'longrope';
    if (scaling !== 'longrope') reader.fail('rope_scaling', 'longrope, or none', scaling);
    const { width, feedForwardWidth, heads, keyValueHeads, headWidth } = config;
    const plain = { bias: false, inputsFirst: false };
    const qkv = (heads + 2 * keyValueHeads) * headWidth;
    const linears: Linear[] = [
      { ...plain, role: 'o', path: 'self_attn.o_proj', inputs: heads * headWidth, outputs: width },
      { ...plain, role: 'qkv', path: 'self_attn.qkv_proj', inputs: width, outputs: qkv },
      { ...plain, role: 'gate_up', path: 'mlp.gate_up_proj', inputs: width, outputs: 2 * feedForwardWidth },
      { ...plain, role: 'down', path: 'mlp.down_proj', inputs: feedForwardWidth, outputs: width },
    ];
    const window = reader.countOrNull('sliding_window', null);
    return {
      ...config,
      norm: { ...config.norm, epsilon: reader.positive('rms_norm_eps', 1e-5) },
      attention: config.attention.map((layer) => ({ ...layer, window })),
      modules: { ...config.modules, linears },
    };
  },
};
