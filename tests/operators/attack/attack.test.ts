/** @file The gradient attack, held to every law of attack operators; and what it tells its user. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { pack } from '../../../datasets/index.js';
import { createEngine, onnxruntimeExecutor, projectToBall } from '../../../engine/index.js';
import { createAttack, type AttackConfig } from '../../../operators/index.js';
import {
  attackLaws,
  attackProperties,
  FAMILIES,
  randomTensor,
  type AttackSetting,
  type Family,
} from '../../../testing/index.js';
import { radius, VARIANT_BASE } from '../../helpers/attack-variants.js';
import { tinyModel, tinyWeights, TINY_VOCABULARY } from '../../helpers/tiny-model.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const config: AttackConfig = { ...VARIANT_BASE, iterations: 4 };
const make = (epsilon: number) => createAttack(engine, tinyModel, { ...config, epsilon });

/** Rows and weights that are the same in every run. */
const fixed = {
  engine,
  model: tinyModel,
  weights: tinyWeights(engine, 7),
  batch: pack([
    { prompt: [3, 8, 1, 12], adversarial: [5, 6, 7], desired: [9, 10] },
    { prompt: [4, 4, 17], adversarial: [20, 2], desired: [11, 21, 13] },
  ]),
};

describe('an attack', () => {
  const families = Object.keys(FAMILIES) as Family[];
  const anywhere = ({ engine, model, epsilon }: AttackSetting) =>
    createAttack(engine, model, { ...config, sites: ['embedding', 'layers.0.v', 'layers.1.mlp'], epsilon });
  for (const { law, check } of attackProperties(anywhere, { engine, families, objective: config }))
    it(law, check);

  it('projects idempotently, whatever is projected', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1000), radius, fc.constantFrom(0, 0.01, 1, 30), async (seed, epsilon, size) => {
        const delta = randomTensor([2, 3, 4], size, seed, 'delta');
        await attackLaws.projectsOnce(engine, projectToBall, delta, epsilon);
      }),
    ));

  it('lowers its loss by 1 nat on a fixed model within 8 iterations', async () => {
    const strong = { ...config, iterations: 8 };
    await attackLaws.lowersItsLoss(fixed, strong, createAttack(engine, tinyModel, strong), 1);
  });

  it('reports an ε that never binds, and only such', async () => {
    expect(await attackLaws.reportsSlack(fixed, make, 0.2)).toMatchObject({ reported: 0 });
    expect(await attackLaws.reportsSlack(fixed, make, 1e4)).toMatchObject({ reported: 3 });
  });
});

describe("an attack's trace", () => {
  it('has the loss before each update and the realised norms after it', async () => {
    const found = await make(0.5)(fixed.weights, fixed.batch, { step: 0, seed: 0 });
    expect(found.trace.map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3]);
    for (const { loss, losses, norms, meanNorms } of found.trace) {
      expect(loss).toBeCloseTo(losses['toward']! + 0.5 * losses['away']!, 4);
      for (const site of config.sites) {
        expect(norms[site]).toBeLessThanOrEqual(0.5 * (1 + 1e-5));
        expect(meanNorms[site]).toBeLessThanOrEqual(norms[site]!);
        expect(meanNorms[site]).toBeGreaterThan(0);
      }
    }
    expect(found.trace[3]!.loss).toBeLessThan(found.trace[0]!.loss);
  });

  it('of a perturbation that was not released is not written over by the next attack', async () => {
    const attack = make(0.5);
    const first = await attack(fixed.weights, fixed.batch, { step: 0, seed: 0 });
    const before = await engine.download(first.deltas['embedding']!);
    await attack(tinyWeights(engine, 1), fixed.batch, { step: 1, seed: 0 });
    expect(await engine.download(first.deltas['embedding']!)).toEqual(before);
  });

  it('is made by programs that are compiled once, whatever ε, rates and coefficients are', async () => {
    await make(0.5)(fixed.weights, fixed.batch, { step: 0, seed: 0 });
    const { compilations } = engine.stats();
    const other = {
      ...config,
      epsilon: 0.1,
      learningRate: 0.01,
      losses: { toward: 0.2, away: 3 },
      iterations: 7,
    };
    const found = await createAttack(engine, tinyModel, other)(fixed.weights, fixed.batch, {
      step: 1,
      seed: 0,
    });
    expect(engine.stats().compilations).toBe(compilations);
    expect(found.trace[6]!.norms['embedding']).toBeLessThanOrEqual(0.1 * (1 + 1e-5));
  });
});

describe('an attack refuses', () => {
  it.each([
    ['SITE_UNKNOWN', { ...config, sites: ['layers.9.mlp'] }],
    ['SITE_DUPLICATE', { ...config, sites: ['embedding', 'layers.1.mlp', 'embedding'] }],
    ['LOSS_UNKNOWN', { ...config, losses: { toward: 1, sideways: 1 } }],
    ['LOSS_NONE', { ...config, losses: {} }],
    ['LOSS_NONE', { ...config, losses: { toward: 0 } }],
  ])('%s', (code, bad) => {
    expect(() => createAttack(engine, tinyModel, bad)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['LABELS_MISSING', pack([{ prompt: [1, 2], desired: [3] }])],
    ['SLOTS_NONE', pack([{ prompt: [1, 2], adversarial: [4], desired: [3] }], { attacked: 'none' })],
  ])('a batch with %s', async (code, batch) => {
    await expect(make(1)(fixed.weights, batch, { step: 0, seed: 0 })).rejects.toMatchObject({ code });
  });

  it.each([1e30, 1e38])('a perturbation that leaves float32, at rate %s', async (learningRate) => {
    const attack = createAttack(engine, tinyModel, { ...config, learningRate });
    await expect(attack(fixed.weights, fixed.batch, { step: 0, seed: 0 })).rejects.toMatchObject({
      code: 'LOSS_NOT_FINITE',
    });
  });

  it('to go on from a loss that is not finite', async () => {
    const weights = tinyWeights(engine, 3);
    const head = {
      'lm_head.weight': engine.upload(randomTensor([TINY_VOCABULARY, 16], Number.NaN, 0, 'head')),
    };
    const broken = { ...weights, parameters: { ...weights.parameters, ...head } };
    await expect(make(1)(broken, fixed.batch, { step: 0, seed: 0 })).rejects.toMatchObject({
      code: 'LOSS_NOT_FINITE',
    });
  });
});
