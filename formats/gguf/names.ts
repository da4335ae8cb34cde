/** @file Which Hugging Face tensor a tensor of a GGUF file is, by architecture. Knows names alone. */

/**
 * Hugging Face names by GGUF name, both less `.weight` and `.bias`; `{}` stands for a block's number.
 * What is not in the table of an architecture does not belong to it.
 */
export type Names = Readonly<Record<string, string>>;

const LLAMA: Names = {
  token_embd: 'model.embed_tokens',
  'blk.{}.attn_norm': 'model.layers.{}.input_layernorm',
  'blk.{}.attn_q': 'model.layers.{}.self_attn.q_proj',
  'blk.{}.attn_k': 'model.layers.{}.self_attn.k_proj',
  'blk.{}.attn_v': 'model.layers.{}.self_attn.v_proj',
  'blk.{}.attn_output': 'model.layers.{}.self_attn.o_proj',
  'blk.{}.ffn_norm': 'model.layers.{}.post_attention_layernorm',
  'blk.{}.ffn_gate': 'model.layers.{}.mlp.gate_proj',
  'blk.{}.ffn_up': 'model.layers.{}.mlp.up_proj',
  'blk.{}.ffn_down': 'model.layers.{}.mlp.down_proj',
  output_norm: 'model.norm',
  output: 'lm_head',
};

const QWEN3: Names = {
  ...LLAMA,
  'blk.{}.attn_q_norm': 'model.layers.{}.self_attn.q_norm',
  'blk.{}.attn_k_norm': 'model.layers.{}.self_attn.k_norm',
};

const GEMMA2: Names = {
  ...LLAMA,
  'blk.{}.post_attention_norm': 'model.layers.{}.post_attention_layernorm',
  'blk.{}.ffn_norm': 'model.layers.{}.pre_feedforward_layernorm',
  'blk.{}.post_ffw_norm': 'model.layers.{}.post_feedforward_layernorm',
};

const PHI3: Names = {
  token_embd: 'model.embed_tokens',
  'blk.{}.attn_norm': 'model.layers.{}.input_layernorm',
  'blk.{}.attn_qkv': 'model.layers.{}.self_attn.qkv_proj',
  'blk.{}.attn_output': 'model.layers.{}.self_attn.o_proj',
  'blk.{}.ffn_norm': 'model.layers.{}.post_attention_layernorm',
  'blk.{}.ffn_up': 'model.layers.{}.mlp.gate_up_proj',
  'blk.{}.ffn_down': 'model.layers.{}.mlp.down_proj',
  output_norm: 'model.norm',
  output: 'lm_head',
};

const GPT2: Names = {
  token_embd: 'transformer.wte',
  position_embd: 'transformer.wpe',
  'blk.{}.attn_norm': 'transformer.h.{}.ln_1',
  'blk.{}.attn_qkv': 'transformer.h.{}.attn.c_attn',
  'blk.{}.attn_output': 'transformer.h.{}.attn.c_proj',
  'blk.{}.ffn_norm': 'transformer.h.{}.ln_2',
  'blk.{}.ffn_up': 'transformer.h.{}.mlp.c_fc',
  'blk.{}.ffn_down': 'transformer.h.{}.mlp.c_proj',
  output_norm: 'transformer.ln_f',
  output: 'lm_head',
};

const GPT_NEOX: Names = {
  token_embd: 'gpt_neox.embed_in',
  'blk.{}.attn_norm': 'gpt_neox.layers.{}.input_layernorm',
  'blk.{}.attn_qkv': 'gpt_neox.layers.{}.attention.query_key_value',
  'blk.{}.attn_output': 'gpt_neox.layers.{}.attention.dense',
  'blk.{}.ffn_norm': 'gpt_neox.layers.{}.post_attention_layernorm',
  'blk.{}.ffn_up': 'gpt_neox.layers.{}.mlp.dense_h_to_4h',
  'blk.{}.ffn_down': 'gpt_neox.layers.{}.mlp.dense_4h_to_h',
  output_norm: 'gpt_neox.final_layer_norm',
  output: 'embed_out',
};

/** By `general.architecture`. */
export const NAMES = {
  llama: LLAMA,
  qwen2: LLAMA,
  qwen3: QWEN3,
  gemma2: GEMMA2,
  phi3: PHI3,
  gpt2: GPT2,
  gptneox: GPT_NEOX,
} as const;
export type GgufArchitecture = keyof typeof NAMES;

/** Tables of rotary frequencies: the configuration says what they do. */
const TABLES = /^(rope_freqs|rope_factors_long|rope_factors_short|blk\.\d+\.attn_rot_embd)\.weight$/;

/** The Hugging Face name of a tensor; null where it is no parameter, undefined where the architecture has none such. */
export function hubName(architecture: GgufArchitecture, name: string): string | null | undefined {
  if (TABLES.test(name)) return null;
  const parts = /^((?:blk\.(\d+)\.)?.*)\.(weight|bias)$/.exec(name);
  if (!parts) return undefined;
  const [, stem = '', block = '', kind = ''] = parts;
  const names: Names = NAMES[architecture];
  const key = stem.replace(/^blk\.\d+\./, 'blk.{}.');
  const found = Object.hasOwn(names, key) ? names[key] : undefined;
  return found === undefined ? undefined : `${found.replace('{}', block)}.${kind}`;
}
