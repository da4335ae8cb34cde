/** @file Losses of pairs on a tiny model: gradients against finite differences, and a reference that never moves. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { pack } from '../../../datasets/index.js';
import { createEngine, onnxruntimeExecutor, type HostTensor, type Value } from '../../../engine/index.js';
import {
  createAttack,
  createDefender,
  type AttackConfig,
  type DefendConfig,
} from '../../../operators/index.js';
import { attackLoss } from '../../../operators/attack/loss.js';
import { ONE_SHAPE, packed, packing, pairExamples, randomTensor } from '../../../testing/index.js';
import { defenceConfig, fixedPairs, randomDeltas } from '../../helpers/defence.js';
import { tinyModel, tinyWeights, TINY_VOCABULARY, TINY_WIDTH } from '../../helpers/tiny-model.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const ROWS = 2;
const SITE = 'layers.1.residual';
const NAMES = ['dpo', 'ipo', 'npo', 'ga'] as const;
type Name = (typeof NAMES)[number];

const attackConfig = (name: Name): AttackConfig => ({
  sites: [SITE],
  segments: 'prompt',
  epsilon: 1,
  iterations: 1,
  learningRate: 0,
  betas: [0.9, 0.999],
  adamEpsilon: 1e-8,
  weightDecay: 0,
  losses: { [name]: 1 },
  objectives: { dpo: { beta: 0.3, labelSmoothing: 0.1 }, ipo: { beta: 0.5 }, npo: { beta: 0.2 } },
});
const shape = [ROWS, ONE_SHAPE.slots, TINY_WIDTH];
const numbers = async (value: Value) => [...(await engine.download(value)).data];
const scaled = ({ data, ...rest }: HostTensor, by: number): HostTensor => ({
  ...rest,
  data: Float32Array.from(data, (x) => x * by),
});

describe('losses of pairs', () => {
  for (const name of NAMES)
    it(`${name} has the gradient for δ that finite differences find`, () =>
      fc.assert(
        fc.asyncProperty(
          pairExamples(TINY_VOCABULARY, ROWS),
          packing,
          fc.nat(3),
          async (examples, options, seed) => {
            const [batch, weights] = [packed(examples, options), tinyWeights(engine, seed)];
            const config = attackConfig(name);
            const find = createAttack(engine, tinyModel, config, { keepGradients: true });
            const { gradients } = await find(weights, batch, { step: 0, seed: 0 });
            const slope = await numbers(gradients![SITE]!);
            const direction = randomTensor(shape, 1, seed, 'direction');
            const step = 2e-2;
            const at = (by: number) =>
              attackLoss(engine, tinyModel, config, weights, batch, {
                [SITE]: engine.upload(scaled(direction, by)),
              });
            const found = ((await at(step)) - (await at(-step))) / (2 * step);
            const expected = slope.reduce((sum, value, i) => sum + value * direction.data[i]!, 0);
            expect(Math.abs(found - expected)).toBeLessThan(0.02 * Math.max(1, Math.hypot(...slope)));
          },
        ),
        { numRuns: 12 },
      ));

  it('dpo is ln 2 and npo (2/β)·ln 2 for the reference itself, for all pairs', () =>
    fc.assert(
      fc.asyncProperty(pairExamples(TINY_VOCABULARY, ROWS), packing, async (examples, options) => {
        const batch = packed(examples, options);
        const bare = { ...tinyWeights(engine, 1), adapters: {} };
        expect(await attackLoss(engine, tinyModel, attackConfig('dpo'), bare, batch)).toBeCloseTo(
          Math.LN2,
          5,
        );
        expect(await attackLoss(engine, tinyModel, attackConfig('npo'), bare, batch)).toBeCloseTo(
          10 * Math.LN2,
          4,
        );
      }),
      { numRuns: 12 },
    ));

  it('ga is minus the cross-entropy that toward is for the other side', async () => {
    const weights = tinyWeights(engine, 2);
    const batch = packed([{ prompt: [1, 2], adversarial: [3, 4], desired: [5, 6, 7] }], {});
    const flipped = packed([{ prompt: [1, 2], adversarial: [5, 6, 7], desired: [3, 4] }], {});
    const toward = { ...attackConfig('ga'), losses: { toward: 1 } };
    expect(await attackLoss(engine, tinyModel, attackConfig('ga'), weights, batch)).toBeCloseTo(
      -(await attackLoss(engine, tinyModel, toward, weights, flipped)),
      5,
    );
  });

  it('compares completions of a row only: rows without one are refused', async () => {
    const pair = { prompt: [1, 2], adversarial: [3, 4], desired: [5] };
    const apart = pack([pair, pair], { layout: 'separate' });
    await expect(
      attackLoss(engine, tinyModel, attackConfig('dpo'), tinyWeights(engine, 0), apart),
    ).rejects.toMatchObject({ code: 'LABELS_UNPAIRED' });
    const lacking = pack([pair, { prompt: [1], desired: [2] }]);
    await expect(
      attackLoss(engine, tinyModel, attackConfig('npo'), tinyWeights(engine, 0), lacking),
    ).resolves.toBeTypeOf('number');
    await expect(
      createDefender(
        engine,
        tinyModel,
        { ...defenceConfig, losses: { npo: 1 } },
        { weights: tinyWeights(engine, 0), updates: 1, seed: 0 },
      ).step([{ pairs: lacking }]),
    ).rejects.toMatchObject({ code: 'LABELS_UNPAIRED' });
  });
});

describe('the reference', () => {
  for (const [trains, train] of Object.entries({
    adapters: defenceConfig.train,
    parameters: { kind: 'full', layers: 'all' },
  } satisfies Record<string, DefendConfig['train']>))
    it(`does not move while ${trains} are trained`, async () => {
      const weights = { ...tinyWeights(engine, 1), adapters: {} };
      const config = { ...defenceConfig, train, iterations: 3, losses: { dpo: 1 } };
      const defender = createDefender(engine, tinyModel, config, { weights, updates: 9, seed: 1 });
      const before = await Promise.all(Object.values(defender.base()).map(numbers));
      const losses: number[] = [];
      for (let step = 0; step < 2; step++)
        losses.push(...(await defender.step([{ pairs: fixedPairs }])).map(({ losses: { dpo } }) => dpo!));
      expect(losses[0]).toBeCloseTo(Math.LN2, 5);
      // Were the reference the weights of the batch's start, the second batch would begin at ln 2 again.
      losses.slice(1).forEach((loss, at) => {
        expect(loss).toBeLessThan(losses[at]!);
      });
      expect(await Promise.all(Object.values(defender.base()).map(numbers))).toEqual(before);
      const reference = defender.base();
      const attack = (options: object) =>
        createAttack(
          engine,
          defender.model,
          { ...attackConfig('dpo'), objectives: {} },
          options,
        )(defender.weights(), fixedPairs, { step: 0, seed: 0 });
      const { trace } = await attack({ reference });
      // The attack wants the opposite: σ of the margins and of their negatives add up to 1.
      expect(trace[0]!.losses['dpo']).toBeGreaterThan(Math.LN2);
    });

  it('is the model without the perturbation: under one, dpo is not ln 2', async () => {
    const weights = { ...tinyWeights(engine, 1), adapters: {} };
    const config = { ...defenceConfig, losses: { dpo: 1 } };
    const defender = createDefender(engine, tinyModel, config, { weights, updates: 1, seed: 1 });
    const [trace] = await defender.step([{ pairs: fixedPairs, deltas: randomDeltas(engine, 1) }]);
    expect(Math.abs(trace!.losses.dpo! - Math.LN2)).toBeGreaterThan(1e-3);
  });
});
