/** @file Turns a tiny Hugging Face checkpoint into a GGUF file the way llama.cpp's converter does: the reader's opposite. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from '../../formats/index.js';
import { NAMES, type GgufArchitecture, type Names } from '../../formats/gguf/names.js';
import { f32, ggufBytes, type Entry, type TensorBytes } from './gguf.js';

type Json = Readonly<Record<string, unknown>>;

const ARCHITECTURES: Readonly<Record<string, GgufArchitecture>> = {
  LlamaForCausalLM: 'llama',
  MistralForCausalLM: 'llama',
  Qwen2ForCausalLM: 'qwen2',
  Qwen3ForCausalLM: 'qwen3',
  Gemma2ForCausalLM: 'gemma2',
  Phi3ForCausalLM: 'phi3',
  GPT2LMHeadModel: 'gpt2',
  GPTNeoXForCausalLM: 'gptneox',
};

/** The checkpoint in a folder as a GGUF file, all in float32, without a tokenizer. */
export async function converted(
  folder: string,
  more: Readonly<Record<string, Entry>> = {},
): Promise<Uint8Array> {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Json;
  const { tensors } = await readSafetensors(join(folder, 'model.safetensors'));
  const architecture = ARCHITECTURES[(config['architectures'] as string[])[0]!]!;
  const out: Record<string, TensorBytes> = {};
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const stored = ggufName(architecture, name);
    out[stored] = changed(architecture, stored, config, shape, data as Float32Array);
  }
  const factors = ropeFactors(config);
  if (factors) out['rope_freqs.weight'] = f32([factors.length], factors);
  return ggufBytes({ ...metadata(architecture, config), ...more }, out);
}

function ggufName(architecture: GgufArchitecture, name: string): string {
  const [, stem = '', kind = ''] = /^(.*)\.(weight|bias)$/.exec(name)!;
  const block = /\.(\d+)\./.exec(stem)?.[1] ?? '';
  const names: Names = NAMES[architecture];
  const found = Object.keys(names).find((key) => names[key]!.replace('{}', block) === stem)!;
  return `${found.replace('{}', block)}.${kind}`;
}

function changed(
  architecture: GgufArchitecture,
  name: string,
  config: Json,
  shape: readonly number[],
  data: Float32Array,
): TensorBytes {
  const number = (key: string): number => config[key] as number;
  const width = data.length / shape[0]!;
  const rowsFrom = (source: (row: number) => number): TensorBytes => {
    const values = new Float32Array(data.length);
    for (let row = 0; row < shape[0]!; row++)
      values.set(data.subarray(source(row) * width, (source(row) + 1) * width), row * width);
    return f32(shape, values);
  };
  if (architecture === 'llama' && /attn_[qk]\./.test(name)) {
    const heads = name.includes('attn_q') ? number('num_attention_heads') : number('num_key_value_heads');
    const half = shape[0]! / heads / 2;
    // reshape(heads, 2, half).swapaxes(1, 2)
    return rowsFrom((row) => {
      const [head, pair, which] = [Math.floor(row / (2 * half)), Math.floor(row / 2) % half, row % 2];
      return head * 2 * half + which * half + pair;
    });
  }
  if (architecture === 'gptneox' && name.includes('attn_qkv')) {
    const heads = number('num_attention_heads');
    const size = shape[0]! / heads / 3;
    return rowsFrom((row) => {
      const [which, head, at] = [
        Math.floor(row / (heads * size)),
        Math.floor(row / size) % heads,
        row % size,
      ];
      return (head * 3 + which) * size + at;
    });
  }
  if (architecture === 'gpt2' && /(attn_qkv|attn_output|ffn_up|ffn_down)\.weight/.test(name)) {
    const [inputs, outputs] = [shape[0]!, shape[1]!];
    const at = (index: number): number => data[(index % inputs) * outputs + Math.floor(index / inputs)]!;
    return f32(
      [outputs, inputs],
      Float32Array.from({ length: data.length }, (_, index) => at(index)),
    );
  }
  if (architecture === 'gemma2' && name.endsWith('norm.weight'))
    return f32(
      shape,
      data.map((each) => each + 1),
    );
  return f32(shape, data);
}

function metadata(architecture: GgufArchitecture, config: Json): Record<string, Entry> {
  const rope = (config['rope_parameters'] ?? {}) as Json;
  const heads = config['num_attention_heads'] ?? config['n_head'];
  const width = (config['hidden_size'] ?? config['n_embd']) as number;
  const headWidth = (config['head_dim'] as number | undefined) ?? width / (heads as number);
  const keys: Record<string, unknown> = {
    block_count: config['num_hidden_layers'] ?? config['n_layer'],
    context_length: config['max_position_embeddings'] ?? config['n_positions'],
    embedding_length: width,
    feed_forward_length: config['intermediate_size'] ?? 4 * width,
    'attention.head_count': heads,
    'attention.head_count_kv': config['num_key_value_heads'],
    'attention.key_length': config['head_dim'],
    'attention.value_length': config['head_dim'],
    'attention.layer_norm_rms_epsilon': config['rms_norm_eps'],
    'attention.layer_norm_epsilon': config['layer_norm_eps'] ?? config['layer_norm_epsilon'],
    'attention.sliding_window': config['sliding_window'] ?? undefined,
    'rope.freq_base': architecture === 'gptneox' ? undefined : rope['rope_theta'],
    'rope.dimension_count':
      architecture === 'gpt2'
        ? undefined
        : ((rope['partial_rotary_factor'] as number | undefined) ?? 1) * headWidth,
    use_parallel_residual: config['use_parallel_residual'],
    attn_logit_softcapping: config['attn_logit_softcapping'],
    final_logit_softcapping: config['final_logit_softcapping'],
  };
  const ids = { bos: 'bos', eos: 'eos', padding: 'pad' };
  return Object.fromEntries<Entry>([
    ['general.architecture', architecture],
    ...Object.entries(keys)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]): [string, Entry] => [`${architecture}.${key}`, value as Entry]),
    ...Object.entries(ids)
      .filter(([, name]) => typeof config[`${name}_token_id`] === 'number')
      .map(([key, name]): [string, Entry] => [
        `tokenizer.ggml.${key}_token_id`,
        config[`${name}_token_id`] as Entry,
      ]),
  ]);
}

/** What the converter makes of Llama 3's scaling: by how much each frequency is divided. */
function ropeFactors(config: Json): Float32Array | undefined {
  const rope = config['rope_parameters'] as Record<string, number> | undefined;
  if ((rope?.['rope_type'] as unknown) !== 'llama3') return undefined;
  const {
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: old,
  } = rope!;
  const width = config['head_dim'] as number;
  return Float32Array.from({ length: width / 2 }, (_, index) => {
    const wavelength = 2 * Math.PI * rope!['rope_theta']! ** ((2 * index) / width);
    if (wavelength < old! / high!) return 1;
    if (wavelength > old! / low!) return factor!;
    const smooth = (old! / wavelength - low!) / (high! - low!);
    return 1 / ((1 - smooth) / factor! + smooth);
  });
}
