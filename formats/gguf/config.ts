/** @file A Hugging Face configuration from a GGUF file's metadata. Plain JSON; checks only what it must translate. */
import { complain } from '../../foundation/index.js';
import type { Metadata } from './metadata.js';
import { NAMES, type GgufArchitecture } from './names.js';
import { rotarySettings, type ReadTable } from './rope.js';

type Json = Record<string, unknown>;

/** What the configuration needs to know about the tensors: shapes by GGUF name. */
export type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** The file's architecture. @throws GGUF_ARCHITECTURE for one without a Hugging Face counterpart here. */
export function architectureOf(metadata: Metadata): GgufArchitecture {
  const name = metadata.text('general.architecture');
  const known = (Object.keys(NAMES) as GgufArchitecture[]).find((each) => each === name);
  return (
    known ??
    complain({
      code: 'GGUF_ARCHITECTURE',
      owner: metadata.owner,
      expected: `general.architecture: one of ${Object.keys(NAMES).join(', ')}`,
      got: name === undefined ? 'nothing' : JSON.stringify(name),
      hint: 'choose a model of a known architecture',
    })
  );
}

/** Query and key-value heads. @throws GGUF_METADATA */
export function headsOf(metadata: Metadata): { readonly query: number; readonly keyValue: number } {
  const prefix = architectureOf(metadata);
  const query = wholeNumber(metadata, `${prefix}.attention.head_count`);
  const key = `${prefix}.attention.head_count_kv`;
  return { query, keyValue: metadata.has(key) ? wholeNumber(metadata, key) : query };
}

/**
 * The `config.json` that the model had before it was converted, as far as it decides what is computed.
 * @param table elements of a small tensor by GGUF name; undefined where there is none.
 * @throws GGUF_METADATA, GGUF_ARCHITECTURE, GGUF_ROPE
 */
export async function hubConfig(metadata: Metadata, tensors: Shapes, table: ReadTable): Promise<Json> {
  const architecture = architectureOf(metadata);
  const blocks = `${architecture}.block_count`;
  // Names are made for every block: more of them than tensors are a lie.
  if (wholeNumber(metadata, blocks) > tensors.size)
    metadata.fail(blocks, `at most the file's ${tensors.size} tensors`, `${metadata.need(blocks)}`);
  const shared: Json = {
    vocab_size: tensors.get('token_embd.weight')?.shape[0],
    tie_word_embeddings: !tensors.has('output.weight'),
    ...specialTokens(metadata),
    torch_dtype: 'float32',
  };
  switch (architecture) {
    case 'gpt2':
      return { ...gpt2(metadata), ...shared };
    case 'gptneox':
      return { ...(await gptNeox(metadata, table)), ...shared };
    case 'gemma2':
      return { ...(await gemma2(metadata, table)), ...shared };
    case 'llama':
    case 'qwen2':
    case 'qwen3':
    case 'phi3':
      return { ...(await llamaLike(architecture, metadata, tensors, table)), ...shared };
  }
  return architecture satisfies never;
}

async function llamaLike(
  architecture: 'llama' | 'qwen2' | 'qwen3' | 'phi3' | 'gemma2',
  metadata: Metadata,
  tensors: Shapes,
  table: ReadTable,
): Promise<Json> {
  const window = metadata.number(`${architecture}.attention.sliding_window`) ?? 0;
  const mistral = architecture === 'llama' && window > 0;
  const { query, keyValue } = headsOf(metadata);
  const width = wholeNumber(metadata, `${architecture}.embedding_length`);
  const headWidth = metadata.number(`${architecture}.attention.key_length`) ?? width / query;
  return {
    architectures: [mistral ? 'MistralForCausalLM' : HUB_NAMES[architecture]],
    model_type: mistral ? 'mistral' : architecture,
    hidden_size: width,
    intermediate_size: wholeNumber(metadata, `${architecture}.feed_forward_length`),
    num_hidden_layers: wholeNumber(metadata, `${architecture}.block_count`),
    num_attention_heads: query,
    num_key_value_heads: keyValue,
    head_dim: headWidth,
    max_position_embeddings: wholeNumber(metadata, `${architecture}.context_length`),
    rms_norm_eps: rounded(metadata.need(`${architecture}.attention.layer_norm_rms_epsilon`)),
    hidden_act: 'silu',
    sliding_window: window > 0 ? window : null,
    ...(architecture === 'qwen2' || architecture === 'qwen3' ? { use_sliding_window: window > 0 } : {}),
    attention_bias: tensors.has('blk.0.attn_q.bias'),
    mlp_bias: tensors.has('blk.0.ffn_up.bias'),
    ...(await rotarySettings(metadata, architecture, headWidth, table)),
  };
}

async function gemma2(metadata: Metadata, table: ReadTable): Promise<Json> {
  const config = await llamaLike('gemma2', metadata, new Map(), table);
  const layers = config['num_hidden_layers'] as number;
  const width = config['hidden_size'] as number;
  return {
    ...config,
    sliding_window: metadata.number('gemma2.attention.sliding_window') ?? 4096,
    hidden_act: 'gelu_pytorch_tanh',
    hidden_activation: 'gelu_pytorch_tanh',
    attn_logit_softcapping: rounded(metadata.number('gemma2.attn_logit_softcapping') ?? 50),
    final_logit_softcapping: rounded(metadata.number('gemma2.final_logit_softcapping') ?? 30),
    // Not in the file: llama.cpp, too, knows the 27B model, which is alone in this, by its 46 layers.
    query_pre_attn_scalar:
      layers === 46 ? width / (config['num_attention_heads'] as number) : config['head_dim'],
  };
}

function gpt2(metadata: Metadata): Json {
  const width = wholeNumber(metadata, 'gpt2.embedding_length');
  return {
    architectures: [HUB_NAMES.gpt2],
    model_type: 'gpt2',
    n_embd: width,
    n_layer: wholeNumber(metadata, 'gpt2.block_count'),
    n_head: headsOf(metadata).query,
    n_positions: wholeNumber(metadata, 'gpt2.context_length'),
    n_inner: metadata.number('gpt2.feed_forward_length') ?? 4 * width,
    layer_norm_epsilon: rounded(metadata.need('gpt2.attention.layer_norm_epsilon')),
    activation_function: 'gelu_new',
  };
}

async function gptNeox(metadata: Metadata, table: ReadTable): Promise<Json> {
  const width = wholeNumber(metadata, 'gptneox.embedding_length');
  const heads = headsOf(metadata).query;
  return {
    architectures: [HUB_NAMES.gptneox],
    model_type: 'gpt_neox',
    hidden_size: width,
    intermediate_size: wholeNumber(metadata, 'gptneox.feed_forward_length'),
    num_hidden_layers: wholeNumber(metadata, 'gptneox.block_count'),
    num_attention_heads: heads,
    max_position_embeddings: wholeNumber(metadata, 'gptneox.context_length'),
    layer_norm_eps: rounded(metadata.need('gptneox.attention.layer_norm_epsilon')),
    hidden_act: 'gelu',
    use_parallel_residual: metadata.flag('gptneox.use_parallel_residual') ?? true,
    attention_bias: true,
    ...(await rotarySettings(metadata, 'gptneox', width / heads, table)),
  };
}

const HUB_NAMES: Readonly<Record<GgufArchitecture, string>> = {
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  gemma2: 'Gemma2ForCausalLM',
  phi3: 'Phi3ForCausalLM',
  gpt2: 'GPT2LMHeadModel',
  gptneox: 'GPTNeoXForCausalLM',
};

function specialTokens(metadata: Metadata): Json {
  const id = (name: string): number | undefined => metadata.number(`tokenizer.ggml.${name}_token_id`);
  // A chat ends with the end of a turn, where the model has a token for that, too.
  const ends = [...new Set([id('eos'), id('eot')].filter((each) => each !== undefined))];
  return {
    bos_token_id: id('bos') ?? null,
    eos_token_id: ends.length > 1 ? ends : (ends[0] ?? null),
    pad_token_id: id('padding') ?? null,
  };
}

function wholeNumber(metadata: Metadata, key: string): number {
  const value = metadata.need(key);
  if (Number.isSafeInteger(value) && value > 0) return value;
  return metadata.fail(key, 'a positive whole number', `${value}`);
}

/** The shortest decimal that is this float32: 1e-5 rather than 0.000009999999747378752. */
export function rounded(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
