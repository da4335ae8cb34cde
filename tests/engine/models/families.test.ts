/** @file What families read from configurations: transformers' defaults, old and new spellings, refusals. */
import { describe, expect, it } from 'vitest';
import {
  modelConfigJson,
  modelConfigText,
  modelKey,
  parameterShapes,
  parseModelConfig,
} from '../../../engine/index.js';
import { FAMILIES, tinyConfig } from './tiny.js';

const of = (family: string, entries: object = {}) => tinyConfig({ ...FAMILIES[family], ...entries });
const windowsOf = (family: string, entries: object) =>
  of(family, { num_hidden_layers: 4, ...entries }).attention.map(({ window }) => window);

describe('families', () => {
  it('leave out what transformers leaves out, and fill it in alike', () => {
    expect(of('mistral', { sliding_window: undefined, num_key_value_heads: undefined, num_attention_heads: 8 }))
      .toMatchObject({ keyValueHeads: 8, attention: [{ window: 4096 }, { window: 4096 }] }); // prettier-ignore
    expect(of('qwen3', { head_dim: undefined }).headWidth).toBe(128);
    expect(of('gemma2', { head_dim: undefined, query_pre_attn_scalar: undefined })).toMatchObject({
      headWidth: 256,
      attention: [{ scale: 1 / 16 }, { scale: 1 / 16 }],
      activation: 'gelu_pytorch_tanh',
      embeddingScale: Math.fround(Math.sqrt(8)),
      tied: true,
    });
    expect(of('phi3', { rms_norm_eps: undefined }).norm.epsilon).toBe(1e-5);
    expect(of('gpt_neo').feedForwardWidth).toBe(12);
    expect(of('gpt_neo', { intermediate_size: null }).feedForwardWidth).toBe(32);
    expect(of('gpt_neox', { head_dim: 16, rotary_pct: undefined, hidden_size: 32 }).rope?.dimensions).toBe(4);
    expect(of('gpt_neox').modules.linears.every(({ bias }) => bias)).toBe(true);
  });

  it('put windows into the layers that their entries name', () => {
    expect(windowsOf('qwen2', { max_window_layers: 3 })).toEqual([null, null, null, 3]);
    expect(windowsOf('qwen2', { use_sliding_window: false })).toEqual([null, null, null, null]);
    const types = ['sliding_attention', 'full_attention', 'full_attention', 'sliding_attention'];
    expect(windowsOf('qwen3', { use_sliding_window: true, sliding_window: 5, layer_types: types })).toEqual([
      5,
      null,
      null,
      5,
    ]);
    expect(windowsOf('gemma2', {})).toEqual([3, null, 3, null]);
    expect(windowsOf('gemma2', { layer_types: types })).toEqual([3, null, null, 3]);
    expect(windowsOf('gpt_neo', { attention_types: [[['local', 'global'], 1], [['local'], 2]] })).toEqual([3, null, 3, 3]); // prettier-ignore
  });

  it('read positions in the spelling of their time', () => {
    const same = (family: string, old: object, now: object) =>
      expect(of(family, old).rope).toEqual(of(family, now).rope);
    same(
      'gpt_neox',
      { rotary_pct: 0.5, rotary_emb_base: 500 },
      { rotary_pct: undefined, rope_parameters: { partial_rotary_factor: 0.5, rope_theta: 500 } },
    );
    same(
      'phi3',
      { partial_rotary_factor: 0.5, rope_theta: 7 },
      { partial_rotary_factor: undefined, rope_parameters: { partial_rotary_factor: 0.5, rope_theta: 7 } },
    );
    const factors = { short_factor: [1], long_factor: [2] };
    same('phi3', { rope_scaling: { type: 'su', ...factors } }, { rope_parameters: { rope_type: 'longrope', ...factors } }); // prettier-ignore
    const scaled = { rope_type: 'linear', factor: 2 };
    expect(of('qwen2', { rope_scaling: scaled, rope_parameters: { rope_theta: 3 } }).rope?.scaling?.kind).toBe('linear'); // prettier-ignore
  });

  it.each([
    ['llama', { hidden_act: 'mish' }, /hidden_act.*silu.*mish/],
    ['gemma2', { hidden_activation: 'tanh' }, /hidden_activation/],
    ['gpt2', { activation_function: 'quick_gelu' }, /activation_function/],
    ['gemma2', { use_bidirectional_attention: true }, /causal/],
    ['gemma2', { sliding_window: null }, /sliding_window/],
    ['qwen2', { layer_types: ['sliding_attention'] }, /layer_types.*2/],
    ['qwen2', { layer_types: ['chunked_attention', 'full_attention'] }, /layer_types/],
    [
      'qwen2',
      { use_sliding_window: false, layer_types: ['sliding_attention', 'full_attention'] },
      /sliding_/,
    ],
    ['phi3', { rope_scaling: { type: 'linear', factor: 2 } }, /longrope/],
    ['phi3', { rope_scaling: { type: 'longrope', short_factor: [1, 1], long_factor: [1, 1] } }, /1 numbers/],
    ['llama', { rope_parameters: { rope_type: 'linear', factor: 2, partial_rotary_factor: 0.5 } }, /partial/],
    ['llama', { rope_parameters: { full_attention: { rope_type: 'default' } } }, /all layers/],
    ['gpt2', { hidden_size: 10 }, /multiple of 4/],
    ['gpt_neo', { attention_types: [[['global'], 3]] }, /attention_types/],
    ['gpt_neo', { attention_types: [[['sparse'], 2]] }, /attention_types/],
    ['gpt_neox', { use_parallel_residual: 'no' }, /use_parallel_residual/],
    ['llama', { quantization_config: { bits: 4 } }, /not quantized/],
  ])('%s refuses %o', (family, entries, message) => {
    const parse = () => of(family, entries);
    expect(parse).toThrow(expect.objectContaining({ code: 'MODEL_CONFIG' }));
    expect(parse).toThrow(message);
  });

  it.each(Object.keys(FAMILIES))('%s writes a configuration that it reads as the same model', (family) => {
    const config = of(family, { unknown_entry: [1], torch_dtype: 'bfloat16' });
    const json = JSON.parse(JSON.stringify(modelConfigJson(config))) as Record<string, unknown>;
    expect(modelKey(parseModelConfig(json))).toBe(modelKey(config));
    expect(json).toMatchObject({ unknown_entry: [1], model_type: config.modelType, dtype: 'float32' });
    expect(json).not.toHaveProperty('torch_dtype');
  });

  it('writes whole numbers as floats where transformers takes only these', () => {
    const text = modelConfigText(of('gemma2', { attn_logit_softcapping: 50 }));
    expect(text).toContain('"attn_logit_softcapping": 50.0,');
    expect(text).toContain('"sliding_window": 3,');
  });

  it('every entry that changes what is computed changes the key', () => {
    const changes: readonly (readonly [string, object])[] = [
      ['gemma2', { attn_logit_softcapping: 2 }],
      ['gemma2', { final_logit_softcapping: null }],
      ['gemma2', { query_pre_attn_scalar: 7 }],
      ['gpt2', { scale_attn_weights: false }],
      ['gpt_neox', { use_parallel_residual: false }],
      ['gpt_neo', { window_size: 4 }],
      ['phi3', { partial_rotary_factor: 1 }],
      ['qwen3', { hidden_act: 'gelu' }],
    ];
    for (const [family, change] of changes)
      expect(modelKey(of(family, change))).not.toBe(modelKey(of(family)));
    expect(modelKey(of('llama', { transformers_version: '9' }))).toBe(modelKey(of('llama')));
  });

  it('name parameters as their checkpoints do', () => {
    expect(Object.keys(parameterShapes(of('gpt2'))).slice(0, 6)).toEqual([
      'transformer.wte.weight',
      'transformer.wpe.weight',
      'transformer.h.0.ln_1.weight',
      'transformer.h.0.ln_1.bias',
      'transformer.h.0.ln_2.weight',
      'transformer.h.0.ln_2.bias',
    ]);
    expect(parameterShapes(of('gpt2'))['transformer.h.0.attn.c_attn.weight']).toEqual([8, 24]);
    expect(parameterShapes(of('gpt_neox'))['embed_out.weight']).toEqual([11, 8]);
  });
});
