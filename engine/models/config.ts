/** @file A Hugging Face `config.json` as a {@link ModelConfig}, and back. Knows nothing about tensors. */
import { createHash } from 'node:crypto';
import { complain } from '../../foundation/index.js';
import { ConfigReader, type Json } from './config-reader.js';
import { families } from './families/families.js';
import type { Family } from './families/family.js';
import type { ModelConfig } from './model-config.js';

/** Architectures that the decoder computes, by their Hugging Face names. */
export const ARCHITECTURES: readonly string[] = families.map(({ architecture }) => architecture);

/**
 * Reads a Hugging Face configuration, as transformers 4 (`rope_theta`, `rope_scaling`) or 5 (`rope_parameters`) write
 * it. Entries that are missing have transformers' defaults, but sizes must be given.
 * @param owner names the file in messages.
 * @throws MODEL_UNKNOWN_ARCHITECTURE for another architecture; MODEL_CONFIG for a missing or impossible entry, or one
 *   that asks for what is not computed.
 */
export function parseModelConfig(json: unknown, owner = 'model config.json'): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    complain({
      code: 'MODEL_CONFIG',
      owner,
      expected: 'a JSON object',
      got: json === null ? 'null' : Array.isArray(json) ? 'a list' : typeof json,
      hint: 'use the config.json that came with the model',
    });
  const entries = json as Json;
  const family = familyOf(entries, owner);
  const reader = new ConfigReader(entries, owner);
  reader.refuse('quantization_config', () => true, 'weights that are not quantized');
  return {
    architecture: family.architecture,
    modelType: family.modelType,
    ...family.read(reader),
    tied: reader.flag('tie_word_embeddings', family.tied),
    initializerRange: reader.positive('initializer_range', 0.02),
    bosToken: reader.tokens('bos_token_id')[0] ?? null,
    eosTokens: reader.tokens('eos_token_id'),
    padToken: reader.tokens('pad_token_id')[0] ?? null,
    json: entries,
  };
}

/** Names of types as `config.json` knows them. */
export type WeightType = 'float32' | 'float16' | 'bfloat16';

/** The `config.json` of a model whose weights are stored in a type: the entries that it was read from. */
export function modelConfigJson(config: ModelConfig, type: WeightType = 'float32'): Record<string, unknown> {
  const { torch_dtype: _old, ...entries } = config.json;
  return {
    ...entries,
    architectures: [config.architecture],
    model_type: config.modelType,
    tie_word_embeddings: config.tied,
    dtype: type,
  };
}

/** Entries that transformers takes as floats only: `30` would be refused where it wants `30.0`. */
const FLOATS = [
  'attn_logit_softcapping',
  'final_logit_softcapping',
  'initializer_range',
  'layer_norm_eps',
  'layer_norm_epsilon',
  'rms_norm_eps',
];
const WHOLE_FLOAT = new RegExp(`^  "(${FLOATS.join('|')})": (-?\\d+)(,?)$`, 'gm');

/** {@link modelConfigJson} as the text of a file. */
export function modelConfigText(config: ModelConfig, type: WeightType = 'float32'): string {
  const text = JSON.stringify(modelConfigJson(config, type), null, 2);
  return `${text.replace(WHOLE_FLOAT, '  "$1": $2.0$3')}\n`;
}

/** Names everything that decides a model's programs: configurations that compute alike have equal keys. */
export function modelKey(config: ModelConfig): string {
  const { json: _, ...decisive } = config;
  const digest = createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
  return `${config.architecture}-${digest.slice(0, 12)}`;
}

function familyOf({ architectures, model_type: type }: Json, owner: string): Family {
  const architecture: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  const known = families.find((family) =>
    architecture === undefined ? family.modelType === type : family.architecture === architecture,
  );
  return (
    known ??
    complain({
      code: 'MODEL_UNKNOWN_ARCHITECTURE',
      owner,
      expected: `one of ${ARCHITECTURES.join(', ')}`,
      got: typeof architecture === 'string' ? architecture : 'no architectures entry',
      hint: 'choose a model of a known architecture',
    })
  );
}
