/** @file Configurations in both spellings, and the complaints about others. */
import { describe, expect, it } from 'vitest';
import { modelConfigJson, modelKey, parseModelConfig } from '../../../engine/index.js';
import { inverseFrequencies } from '../../../engine/models/rope-frequencies.js';
import { tinyConfig } from './tiny.js';

const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 16 };

describe('parseModelConfig', () => {
  it('reads rope_theta and rope_scaling as it reads rope_parameters', () => {
    const four = tinyConfig({ rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...llama3 } });
    const five = tinyConfig({ rope_parameters: { rope_theta: 5e5, rope_type: 'llama3', ...llama3 } });
    expect(modelKey(four)).toBe(modelKey(five));
    expect(four.rope?.theta).toBe(5e5);
    const plain = { dimensions: 4, attentionFactor: 1 };
    expect(tinyConfig({ rope_theta: 5e5, rope_scaling: null }).rope).toEqual({
      theta: 5e5,
      scaling: null,
      ...plain,
    });
    expect(tinyConfig({ rope_scaling: { type: 'linear', factor: 2 } }).rope).toEqual({
      theta: 10_000,
      scaling: { kind: 'linear', factor: 2 },
      ...plain,
    });
  });

  it('fills in what old configurations leave out', () => {
    const config = tinyConfig({ num_key_value_heads: undefined, head_dim: undefined });
    expect([config.keyValueHeads, config.headWidth, config.tied]).toEqual([4, 2, false]);
    expect(config.modules.linears.some(({ bias }) => bias)).toBe(false);
    expect(tinyConfig({ eos_token_id: [7, 8] }).eosTokens).toEqual([7, 8]);
  });

  it.each([
    ['plain', {}],
    ['llama3 scaling', { rope_parameters: { rope_theta: 5e5, rope_type: 'llama3', ...llama3 } }],
    ['linear scaling', { rope_scaling: { type: 'linear', factor: 2 } }],
    ['sliding window', { architectures: ['MistralForCausalLM'], sliding_window: 6 }],
    ['several ends', { eos_token_id: [7, 8], tie_word_embeddings: true, mlp_bias: true }],
  ])('reads what modelConfigJson writes: %s', (_, overrides) => {
    const config = tinyConfig(overrides);
    const read = parseModelConfig(JSON.parse(JSON.stringify(modelConfigJson(config))));
    expect({ ...read, json: null }).toEqual({ ...config, json: null });
  });

  it.each([
    [{ architectures: ['BertForMaskedLM'] }, 'MODEL_UNKNOWN_ARCHITECTURE', /LlamaForCausalLM.*Bert/],
    [{ architectures: undefined }, 'MODEL_UNKNOWN_ARCHITECTURE', /no architectures/],
    [{ hidden_size: undefined }, 'MODEL_CONFIG', /hidden_size/],
    [{ vocab_size: -1 }, 'MODEL_CONFIG', /vocab_size.*-1/],
    [{ num_key_value_heads: 3 }, 'MODEL_CONFIG', /num_key_value_heads/],
    [{ head_dim: 3 }, 'MODEL_CONFIG', /head_dim/],
    [{ tie_word_embeddings: 'yes' }, 'MODEL_CONFIG', /tie_word_embeddings/],
    [{ eos_token_id: 'end' }, 'MODEL_CONFIG', /eos_token_id/],
    [{ rope_scaling: { rope_type: 'axial', factor: 2 } }, 'MODEL_CONFIG', /axial/],
    [{ rope_scaling: { rope_type: 'linear' } }, 'MODEL_CONFIG', /factor/],
  ])('refuses %o', (overrides, code, message) => {
    const parse = () => tinyConfig(overrides);
    expect(parse).toThrow(expect.objectContaining({ code }));
    expect(parse).toThrow(message);
  });

  it.each([[null], ['text'], [[1]]])('refuses %o as a configuration', (json) => {
    expect(() => parseModelConfig(json)).toThrow(expect.objectContaining({ code: 'MODEL_CONFIG' }));
  });
});

describe('modelKey', () => {
  it('is the same for equal configurations and differs with any entry', () => {
    expect(modelKey(tinyConfig())).toBe(modelKey(tinyConfig()));
    for (const overrides of [{ rms_norm_eps: 1e-6 }, { rope_theta: 1 }, { num_hidden_layers: 3 }])
      expect(modelKey(tinyConfig(overrides))).not.toBe(modelKey(tinyConfig()));
  });
});

describe('inverseFrequencies', () => {
  it('linear scaling slows every frequency by the factor', () => {
    const plain = inverseFrequencies(tinyConfig().rope!);
    const slowed = inverseFrequencies(tinyConfig({ rope_scaling: { type: 'linear', factor: 4 } }).rope!);
    expect([...slowed]).toEqual([...plain].map((frequency) => Math.fround(frequency / 4)));
  });

  it('llama3 scaling keeps the fastest and slows the slowest by the factor', () => {
    const plain = inverseFrequencies(tinyConfig({ head_dim: 16, rope_theta: 5e5 }).rope!);
    const scaled = inverseFrequencies(
      tinyConfig({
        head_dim: 16,
        rope_parameters: {
          rope_theta: 5e5,
          rope_type: 'llama3',
          ...llama3,
          original_max_position_embeddings: 64,
        },
      }).rope!,
    );
    expect(scaled[0]).toBe(plain[0]);
    expect(scaled.at(-1)! / plain.at(-1)!).toBeCloseTo(1 / 8, 6);
    expect(scaled.every((frequency, index) => frequency <= plain[index]!)).toBe(true);
  });
});
