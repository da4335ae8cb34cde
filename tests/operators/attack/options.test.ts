/** @file What each option of an attack does to the perturbation, and which options exclude each other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pack } from '../../../datasets/index.js';
import { createEngine, onnxruntimeExecutor, type HostTensor } from '../../../engine/index.js';
import { whiten } from '../../../operators/index.js';
import { attackLaws } from '../../../testing/index.js';
import {
  adversaries,
  everyToken,
  named,
  VARIANT_BASE,
  variantMaker,
  type Variant,
} from '../../helpers/attack-variants.js';
import { tinyModel, tinyWeights } from '../../helpers/tiny-model.js';

const KEY = { step: 1, seed: 1 };
const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());
let make: Awaited<ReturnType<typeof variantMaker>>['make'];
beforeAll(async () => {
  ({ make } = await variantMaker(engine));
});

const fixed = {
  engine,
  model: tinyModel,
  weights: tinyWeights(engine, 7),
  batch: pack([
    { prompt: [3, 8, 1, 12, 8], adversarial: [5, 6, 7], desired: [9, 10] },
    { prompt: [4, 4, 17], adversarial: [20, 2], desired: [11, 21, 13] },
  ]),
};

describe('of an attack', () => {
  it.each(named([...adversaries, { step: 'sign', learningRate: 0.1 }, { step: 'normalized' }]))(
    'eight iterations lower the loss by half a nat: %s',
    async (_, variant) => {
      const strong = { ...VARIANT_BASE, ...variant, iterations: 8 };
      await attackLaws.lowersItsLoss(fixed, strong, make(strong)(2), 0.5);
    },
  );

  it.each(named(adversaries))(
    'without a target the desired completion becomes unlikely: %s',
    async (_, variant) => {
      const strong = { ...VARIANT_BASE, ...variant, iterations: 8, losses: { ga: 1 } };
      await attackLaws.lowersItsLoss(fixed, strong, make(strong)(2), 0.5);
    },
  );

  it('noise and random starts depend on seed and step', async () => {
    const draw = async (key: { step: number; seed: number }): Promise<number> => {
      const found = await make({ search: 'noise' })(1)(fixed.weights, fixed.batch, key);
      return (await engine.download(found.deltas['embedding']!)).data[0]!;
    };
    const all = [await draw(KEY), await draw({ ...KEY, seed: 2 }), await draw({ ...KEY, step: 2 })];
    expect(new Set(all).size).toBe(3);
  });

  it.each(named(adversaries.slice(1, 3)))(
    'a linear adversary follows the activation: %s',
    async (_, variant) => {
      const { pairs } = await attackLaws.followsActivation(fixed, make(variant), 1);
      expect(pairs).toBe(2);
      await expect(attackLaws.followsActivation(fixed, make({}), 1)).rejects.toMatchObject({
        code: 'LAW_BROKEN',
      });
    },
  );

  it('a low-rank adversary has that rank', async () => {
    const variant: Variant = { adversary: { kind: 'low-rank', rank: 1 }, per: 'example' };
    const { deltas } = await make(variant)(0.5)(fixed.weights, fixed.batch, KEY);
    const { data, shape } = await engine.download(deltas['layers.1.mlp']!);
    const vector = (slot: number) => [...data.subarray(slot * shape[2]!, (slot + 1) * shape[2]!)];
    const cosine = (a: number[], b: number[]) =>
      a.reduce((sum, value, at) => sum + value * b[at]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
    for (const slot of [1, 2, 3]) expect(Math.abs(cosine(vector(0), vector(slot)))).toBeCloseTo(1, 5);
  });

  it('every site of the model is perturbed where all are asked for', async () => {
    const { deltas, trace } = await make({ sites: 'all' })(1)(fixed.weights, fixed.batch, KEY);
    expect(Object.keys(deltas)).toHaveLength(1 + 3 * 6);
    expect(Math.min(...Object.values(trace.at(-1)!.norms))).toBeGreaterThan(0);
  });

  it('a penalty makes δ shorter', async () => {
    const size = async (l2: number) =>
      (await make({ l2, step: 'normalized' })(5)(fixed.weights, fixed.batch, KEY)).trace.at(-1)!.meanNorms[
        'embedding'
      ]!;
    expect(await size(50)).toBeLessThan(0.7 * (await size(0)));
  });

  it('a clip bounds the step of every row', async () => {
    const [epsilon, learningRate] = [100, 1];
    const size = async (clipNorm: number) => {
      const variant: Variant = { clipNorm, iterations: 1, learningRate, adamEpsilon: 1e3, weightDecay: 0 };
      return (await make(variant)(epsilon)(fixed.weights, fixed.batch, KEY)).trace[0]!.norms['embedding']!;
    };
    expect(await size(0.01)).toBeCloseTo((await size(0.02)) / 2, 8);
    expect(await size(1e6)).toBeCloseTo(await size(1e7), 10);
  });

  it('numbers are arguments of programs: none is compiled again for others', async () => {
    const variant: Variant = { radius: 'relative', per: 'example', restarts: 2, l2: 0.1, clipNorm: 1 };
    await make(variant)(1)(fixed.weights, fixed.batch, KEY);
    const { compilations } = engine.stats();
    const other: Variant = {
      ...variant,
      restarts: 3,
      l2: 0.3,
      clipNorm: 2,
      learningRate: 0.2,
      iterations: 2,
    };
    await make(other)(0.4)(fixed.weights, fixed.batch, { step: 5, seed: 3 });
    expect(engine.stats().compilations).toBe(compilations);
  });

  it('components of activations take them to variance 1 in every direction', async () => {
    const wide = await whiten(engine, tinyModel, tinyWeights(engine, 0), ['embedding'], [everyToken]);
    const two = await whiten(engine, tinyModel, tinyWeights(engine, 0), ['embedding'], [everyToken], 2);
    const [axes, fewest] = [wide['embedding']!, two['embedding']!];
    expect(fewest.shape).toEqual([2, 16]);
    expect(fewest.data).toEqual(axes.data.slice(0, 32));
    const embedding = await engine.download(tinyWeights(engine, 0).parameters['model.embed_tokens.weight']!);
    const tokens = [...everyToken.tokens.keys()].filter((at) => everyToken.slots[at]! >= 0);
    const row = (of: HostTensor, at: number) => [...of.data.subarray(at * 16, (at + 1) * 16)];
    const projected = tokens.map((at) =>
      Array.from({ length: axes.shape[0]! }, (_, axis) => {
        const component = row(axes, axis);
        const along = row(embedding, everyToken.tokens[at]!).map((value, d) => value * component[d]!);
        return along.reduce((sum, value) => sum + value, 0) / Math.hypot(...component) ** 2;
      }),
    );
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) {
        const [x, y] = [projected.map((each) => each[i]!), projected.map((each) => each[j]!)];
        expect(mean(x.map((value, at) => value * y[at]!)) - mean(x) * mean(y)).toBeCloseTo(
          i === j ? 1 : 0,
          3,
        );
      }
  });

  it.each<[string, Variant]>([
    ['ATTACK_CONFLICT', { adversary: { kind: 'whitened' }, radius: 'relative' }],
    ['ATTACK_CONFLICT', { adversary: { kind: 'full-rank' }, search: 'noise' }],
    ['ATTACK_CONFLICT', { search: 'noise', step: 'sign' }],
    ['WHITENING_MISSING', { adversary: { kind: 'whitened' }, sites: ['layers.0.q'] }],
  ])('what cannot be is refused: %s', (code, variant) => {
    expect(() => make(variant)(1)).toThrow(expect.objectContaining({ code }));
  });
});
