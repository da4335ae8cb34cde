/** @file What a model is: its dimensions, read from a Hugging Face `config.json`. Knows nothing about tensors. */
import { createHash } from 'node:crypto';
import { complain } from '../../foundation/index.js';
import { readRope, type Rope } from './rope-config.js';

/** Architectures that the decoder computes, by their Hugging Face names. */
export const ARCHITECTURES = ['LlamaForCausalLM', 'MistralForCausalLM'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** A decoder of the Llama-2/3 style: RMSNorm, rotary positions, grouped-query attention, SwiGLU. */
export interface ModelConfig {
  readonly architecture: Architecture;
  /** V: token ids are 0 … V−1. */
  readonly vocabularySize: number;
  /** D: width of the residual stream. */
  readonly width: number;
  /** F: width inside the MLP. */
  readonly feedForwardWidth: number;
  readonly layers: number;
  /** H query heads, in groups that share one of the G key-value heads, all of width K. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  /** Longest sequence, in tokens, that the model was made for. */
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly rope: Rope;
  /** A query sees keys less than this many positions back; null: all of them. */
  readonly slidingWindow: number | null;
  /** True where the output head is the embedding matrix. */
  readonly tied: boolean;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  /** Standard deviation of freshly made weights. */
  readonly initializerRange: number;
  readonly bosToken: number | null;
  readonly eosTokens: readonly number[];
  readonly padToken: number | null;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a Hugging Face configuration, as transformers 4 (`rope_theta`, `rope_scaling`) or 5 (`rope_parameters`) write it.
 * @param owner names the file in messages.
 * @throws MODEL_UNKNOWN_ARCHITECTURE for another architecture; MODEL_CONFIG for a missing or impossible entry.
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
  const architecture = knownArchitecture(entries, owner);
  const read = new Reader(entries, owner);
  const width = read.count('hidden_size');
  const heads = read.count('num_attention_heads');
  const contextLength = read.count('max_position_embeddings', 2048);
  const config: ModelConfig = {
    architecture,
    vocabularySize: read.count('vocab_size'),
    width,
    feedForwardWidth: read.count('intermediate_size'),
    layers: read.count('num_hidden_layers'),
    heads,
    keyValueHeads: read.count('num_key_value_heads', heads),
    headWidth: read.count('head_dim', width / heads),
    contextLength,
    normEpsilon: read.positive('rms_norm_eps', 1e-6),
    rope: readRope(entries, contextLength, owner),
    slidingWindow:
      architecture === 'MistralForCausalLM' && entries['sliding_window'] != null
        ? read.count('sliding_window')
        : null,
    tied: read.flag('tie_word_embeddings'),
    attentionBias: read.flag('attention_bias'),
    mlpBias: read.flag('mlp_bias'),
    initializerRange: read.positive('initializer_range', 0.02),
    bosToken: read.tokens('bos_token_id')[0] ?? null,
    eosTokens: read.tokens('eos_token_id'),
    padToken: read.tokens('pad_token_id')[0] ?? null,
  };
  return possible(config, read);
}

/** The Hugging Face `config.json` of a configuration (as transformers 4 and 5 both read it). */
export function modelConfigJson(config: ModelConfig): Record<string, unknown> {
  const { theta, scaling } = config.rope;
  const rope =
    scaling === null
      ? null
      : scaling.kind === 'linear'
        ? { rope_type: 'linear', factor: scaling.factor }
        : {
            rope_type: 'llama3',
            factor: scaling.factor,
            low_freq_factor: scaling.lowFrequencyFactor,
            high_freq_factor: scaling.highFrequencyFactor,
            original_max_position_embeddings: scaling.originalContextLength,
          };
  return {
    architectures: [config.architecture],
    model_type: config.architecture === 'LlamaForCausalLM' ? 'llama' : 'mistral',
    vocab_size: config.vocabularySize,
    hidden_size: config.width,
    intermediate_size: config.feedForwardWidth,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headWidth,
    max_position_embeddings: config.contextLength,
    rms_norm_eps: config.normEpsilon,
    rope_theta: theta,
    rope_scaling: rope,
    ...(config.slidingWindow === null ? {} : { sliding_window: config.slidingWindow }),
    hidden_act: 'silu',
    tie_word_embeddings: config.tied,
    attention_bias: config.attentionBias,
    mlp_bias: config.mlpBias,
    initializer_range: config.initializerRange,
    bos_token_id: config.bosToken,
    eos_token_id: config.eosTokens.length === 1 ? config.eosTokens[0] : config.eosTokens,
    pad_token_id: config.padToken,
    torch_dtype: 'float32',
  };
}

/** Names everything that decides a model's programs: equal configurations have equal keys. */
export function modelKey(config: ModelConfig): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(modelConfigJson(config)))
    .digest('hex');
  return `${config.architecture}-${digest.slice(0, 12)}`;
}

function knownArchitecture(entries: Json, owner: string): Architecture {
  const named: unknown = entries['architectures'];
  const architecture: unknown = Array.isArray(named) ? named[0] : undefined;
  const known = ARCHITECTURES.find((name) => name === architecture);
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

function possible(config: ModelConfig, read: Reader): ModelConfig {
  if (config.heads % config.keyValueHeads !== 0)
    read.fail('num_key_value_heads', `a divisor of ${config.heads} heads`, config.keyValueHeads);
  if (config.headWidth % 2 !== 0) read.fail('head_dim', 'an even width (rotary halves)', config.headWidth);
  return config;
}

class Reader {
  constructor(
    private readonly entries: Json,
    private readonly owner: string,
  ) {}

  count(key: string, fallback?: number): number {
    const value = this.entries[key] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    return this.fail(key, 'a positive whole number', value);
  }

  positive(key: string, fallback: number): number {
    const value = this.entries[key] ?? fallback;
    return typeof value === 'number' && value > 0 ? value : this.fail(key, 'a positive number', value);
  }

  flag(key: string): boolean {
    const value = this.entries[key] ?? false;
    return typeof value === 'boolean' ? value : this.fail(key, 'true or false', value);
  }

  tokens(key: string): readonly number[] {
    const value = this.entries[key];
    if (value === undefined || value === null) return [];
    const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
    return ids.map((id) =>
      typeof id === 'number' && Number.isInteger(id) ? id : this.fail(key, 'a token id', value),
    );
  }

  fail(key: string, expected: string, value: unknown): never {
    return complain({
      code: 'MODEL_CONFIG',
      owner: this.owner,
      expected: `${key}: ${expected}`,
      got: value === undefined ? 'nothing' : JSON.stringify(value),
      hint: 'use the config.json that came with the model',
    });
  }
}
