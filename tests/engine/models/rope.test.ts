/** @file Rotary frequencies by kind, against those of transformers 5.23, and what depends on a row's length. */
import { describe, expect, it } from 'vitest';
import { frequencyRegime, inverseFrequencies } from '../../../engine/models/rope-frequencies.js';
import { rotation } from '../../../engine/models/rope.js';
import { int32, type Tensor } from '../../../engine/index.js';
import { evaluate, tinyConfig } from './tiny.js';

const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16, rope_theta: 1000 };
const longrope = {
  rope_type: 'longrope',
  long_factor: [1, 1.5, 2, 4],
  short_factor: [1, 1.1, 1.2, 1.3],
  original_max_position_embeddings: 16,
  rope_theta: 1000,
};
const llama3 = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 16,
  rope_theta: 500,
};
const sharp = { ...yarn, mscale: 0.8, mscale_all_dim: 0.5, beta_fast: 20, beta_slow: 2, truncate: false };

const ropeOf = (head_dim: number, rope_parameters: object) => tinyConfig({ head_dim, rope_parameters }).rope!;

describe('inverseFrequencies', () => {
  it.each([
    ['yarn', 16, yarn, 0, [1, 0.26356032, 0.044456985, 0.018747354, 0.0079056947, 0.0033338037, 0.0014058533, 0.00059284345], 1.138629436], // prettier-ignore
    ['yarn, untruncated', 16, sharp, 0, [1, 0.10542413, 0.044456985, 0.018747354, 0.0079056947, 0.0033338037, 0.0014058533, 0.00059284345], 1.038892975], // prettier-ignore
    ['longrope, short', 8, longrope, 16, [1, 0.16166177, 0.026352312, 0.0043257028], 1.224744871],
    ['longrope, long', 8, longrope, 17, [1, 0.11855196, 0.015811389, 0.0014058533], 1.224744871],
    ['llama3', 8, llama3, 0, [0.57605636, 0.02643428, 0.0055901702, 0.001182177], 1],
  ])('%s is what transformers computes', (_, width, parameters, length, expected, factor) => {
    const rope = ropeOf(width, parameters);
    const ours = [...inverseFrequencies(rope, length)];
    expect(ours).toHaveLength(expected.length);
    ours.forEach((value, index) => expect(Math.abs(value / expected[index]! - 1)).toBeLessThan(1e-6));
    expect(rope.attentionFactor).toBeCloseTo(factor, 8);
  });
});

describe('rotation', () => {
  const dynamic = ropeOf(8, { rope_type: 'dynamic', factor: 2, rope_theta: 1000 });

  it('dynamic scaling slows a row by its own length, as transformers does', async () => {
    const { cos } = await evaluate({ at: int32([2, 3], [1, 2, 99, 1, 2, 63]) }, ({ at }: { at: Tensor }) => ({
      cos: rotation(dynamic, at).cos_B1TK,
    }));
    const slowed = [1, 0.138318524, 0.0191320144, 0.00264631212];
    const plain = [...inverseFrequencies(dynamic)];
    for (const [row, frequencies] of [slowed, plain].entries())
      frequencies.forEach((frequency, index) =>
        expect(cos.data[(row * 3 + 1) * 8 + index]).toBeCloseTo(Math.cos(2 * frequency), 5),
      );
  });

  it('lengths have one regime where they have the same frequencies', () => {
    const regimes = (rope: Parameters<typeof frequencyRegime>[0]) =>
      [1, 16, 17, 64, 65, 66].map((length) => frequencyRegime(rope, length));
    expect(regimes(null)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(regimes(ropeOf(16, yarn))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(regimes(ropeOf(8, longrope))).toEqual([0, 0, 1, 1, 1, 1]);
    expect(regimes(dynamic)).toEqual([64, 64, 64, 64, 65, 66]);
  });
});
