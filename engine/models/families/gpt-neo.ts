/** @file GPT-Neo: GPT-2 with separate projections, attention that is not scaled, and local layers. No tensors. */
import type { ConfigReader } from '../config-reader.js';
import type { Linear } from '../modules.js';
import { readGpt } from './gpt2.js';
import type { Family } from './family.js';

export const gptNeo: Family = {
  architecture: 'GPTNeoForCausalLM',
  modelType: 'gpt_neo',
  tied: true,
  read: (reader) => {
    const width = reader.count('hidden_size');
    const layers = reader.layers(['num_layers', 'num_hidden_layers']);
    const feedForwardWidth = reader.count('intermediate_size', 4 * width);
    const config = readGpt(reader, {
      width,
      heads: reader.count(['num_heads', 'num_attention_heads']),
      layers,
      contextLength: reader.count('max_position_embeddings', 2048),
      feedForwardWidth,
    });
    const square = { inputs: width, outputs: width, inputsFirst: false };
    const mlp = { bias: true, inputsFirst: false };
    const linears: Linear[] = [
      { ...square, role: 'k', path: 'attn.attention.k_proj', bias: false },
      { ...square, role: 'v', path: 'attn.attention.v_proj', bias: false },
      { ...square, role: 'q', path: 'attn.attention.q_proj', bias: false },
      { ...square, role: 'o', path: 'attn.attention.out_proj', bias: true },
      { ...mlp, role: 'up', path: 'mlp.c_fc', inputs: width, outputs: feedForwardWidth },
      { ...mlp, role: 'down', path: 'mlp.c_proj', inputs: feedForwardWidth, outputs: width },
    ];
    const window = reader.count('window_size', 256);
    return {
      ...config,
      attention: kinds(reader, layers).map((kind) => ({
        scale: 1,
        window: kind === 'local' ? window : null,
      })),
      modules: { ...config.modules, linears },
    };
  },
};

const KINDS = ['global', 'local'] as const;
type Kind = (typeof KINDS)[number];

/** `attention_layers`, or the repetitions that `attention_types` lists: [[["global", "local"], 12]]. */
function kinds(reader: ConfigReader, layers: number): readonly Kind[] {
  const given = reader.words('attention_layers', KINDS, layers);
  if (given) return given;
  const types = reader.entries['attention_types'] ?? [[KINDS, 12]];
  const expanded = (types as readonly unknown[]).flatMap((entry) => {
    const [pattern, times] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const right =
      Array.isArray(pattern) &&
      pattern.every((kind) => KINDS.includes(kind as Kind)) &&
      repeats(times, layers);
    if (!right) reader.fail('attention_types', 'a list of [[global or local, …], repetitions]', types);
    return Array.from({ length: times as number }, () => pattern as Kind[]).flat();
  });
  if (expanded.length !== layers) reader.fail('attention_types', `${layers} layers in all`, expanded.length);
  return expanded;
}

function repeats(times: unknown, layers: number): boolean {
  return typeof times === 'number' && Number.isInteger(times) && times >= 0 && times <= layers;
}
