/** @file Every variant of the attack, held to the laws of attack operators: adversaries, radii, groupings, starts, steps. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { createEngine, onnxruntimeExecutor } from '../../../engine/index.js';
import { attackLaws, packed } from '../../../testing/index.js';
import {
  adversaries,
  gradient,
  LAW_ROWS,
  lawBenches,
  named,
  noise,
  radius,
  VARIANT_BASE,
  variantMaker,
} from '../../helpers/attack-variants.js';
import { tinyModel, tinyWeights } from '../../helpers/tiny-model.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());
let { make, ballOf } = {} as Awaited<ReturnType<typeof variantMaker>>;
beforeAll(async () => {
  ({ make, ballOf } = await variantMaker(engine));
});

const bench = lawBenches(engine);
const few = { numRuns: 2 };

describe.each(named([...gradient, ...noise]))('an attack with %s', (_, variant) => {
  it('stays in its ball, off the mask at zero, touches no weight, repeats itself, and lives in every part', () =>
    fc.assert(
      fc.asyncProperty(bench, radius, fc.integer({ min: 2, max: LAW_ROWS }), async (at, epsilon, parts) => {
        const attack = make(variant);
        await attackLaws.staysInBall(at, attack, epsilon, ballOf(variant));
        await attackLaws.zeroOffTheMask(at, attack, epsilon);
        await attackLaws.changesNoWeight(at, attack, epsilon);
        await attackLaws.repeatsItself(at, attack, epsilon);
        await attackLaws.identityAtZero(at, attack);
        await attackLaws.aliveInEveryPart(at, attack, epsilon, parts);
      }),
      few,
    ));
});

describe('of an attack', () => {
  it.each(named([...adversaries, { search: 'noise' }]))(
    'a restart that is stronger for a row is taken: %s',
    async (_, variant) => {
      const batch = packed([
        { prompt: [3, 8, 1, 12], adversarial: [5, 6, 7], desired: [9, 10] },
        { prompt: [4, 4, 17], adversarial: [20, 2], desired: [11, 21, 13] },
        { prompt: [9, 2], adversarial: [14, 1, 1], desired: [23] },
      ]);
      const at = { engine, model: tinyModel, weights: tinyWeights(engine, 7), batch };
      const [once, often] = [make(variant)(1), make({ ...variant, restarts: 8 })(1)];
      await attackLaws.strongerSomewhere(at, VARIANT_BASE, often, once, 0.01);
    },
  );

  it.each(named(adversaries))('parts are attacked like the whole, from random starts too: %s', (_, variant) =>
    fc.assert(
      fc.asyncProperty(bench, radius, fc.integer({ min: 2, max: LAW_ROWS }), async (at, epsilon, parts) => {
        const varied = {
          ...variant,
          start: 'random',
          step: 'normalized',
          per: 'example',
          l2: 0.1,
          clipNorm: 1,
        } as const;
        await attackLaws.partsLikeWhole(at, make(varied), epsilon, parts);
      }),
      { numRuns: 8 },
    ),
  );

  it.each(named(adversaries))('more restarts never make a row weaker: %s', (_, variant) =>
    fc.assert(
      fc.asyncProperty(bench, radius, async (at, epsilon) => {
        const [once, often] = [make(variant)(epsilon), make({ ...variant, restarts: 3 })(epsilon)];
        await attackLaws.neverWeaker(at, VARIANT_BASE, often, once);
      }),
      { numRuns: 6 },
    ),
  );

  it.each(named(noise))('noise is as long as ε asks, in every direction of its ball: %s', (_, variant) =>
    fc.assert(
      fc.asyncProperty(bench, radius, async (at, epsilon) => {
        await attackLaws.fillsBall(at, make(variant), epsilon, ballOf(variant));
      }),
      few,
    ),
  );
});
