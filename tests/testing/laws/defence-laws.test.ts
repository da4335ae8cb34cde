/** @file Defenders held to their laws: parts of a batch add up to it, and a resumed run equals an uninterrupted one. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, onnxruntimeExecutor } from '../../../engine/index.js';
import { createDefender, type DefendConfig, type ModelWeights } from '../../../operators/index.js';
import { defenceLaws, packed, packing, pairExamples } from '../../../testing/index.js';
import { DEFENCE_ROWS, defenceConfig, fixedBenign, fixedPairs, randomDeltas } from '../../helpers/defence.js';
import { tinyModel, tinyWeights, TINY_VOCABULARY } from '../../helpers/tiny-model.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const defender = (weights: ModelWeights, over: Partial<DefendConfig> = {}) =>
  createDefender(engine, tinyModel, { ...defenceConfig, ...over }, { weights, updates: 10, seed: 5 });
const perturbed = fc
  .tuple(
    pairExamples(TINY_VOCABULARY, DEFENCE_ROWS),
    pairExamples(TINY_VOCABULARY, DEFENCE_ROWS),
    packing,
    fc.nat(3),
  )
  .map(([pairs, benign, options, seed]) => ({
    seed,
    batch: {
      pairs: packed(pairs, options),
      benign: packed(
        benign.map(({ prompt, desired }) => ({ prompt, desired })),
        { ...options, attacked: 'none' },
      ),
      deltas: randomDeltas(engine, seed),
    },
  }));

const TRAINS: Record<string, Partial<DefendConfig>> = {
  adapters: {},
  'layers 0 and 2': { train: { kind: 'full', layers: [0, 2] } },
  'all parameters': { train: { kind: 'full', layers: 'all' }, losses: { toward: 1, away: 0.5, sft: 0.7 } },
  'losses that compare with a reference': { losses: { dpo: 1, ipo: 0.1, npo: 0.5, ga: 0.1 } },
  'down_proj up to the block that is steered': {
    train: { kind: 'full', layers: [0, 1], modules: ['down_proj'] },
    losses: { rmu: 1, retain: 2 },
    objectives: { rmu: { layer: 1 } },
  },
  'adapters everywhere, with some activations steered': {
    losses: { rmu: 1, sft: 1 },
    objectives: { rmu: { layer: 0 } },
  },
  'without kl': { losses: { toward: 1, away: 0.5, sft: 0.7 } },
};

describe('a defence in parts', () => {
  for (const [name, over] of Object.entries(TRAINS)) {
    it(`accumulates the full batch's gradient, for all rows and splits (${name})`, () =>
      fc.assert(
        fc.asyncProperty(
          perturbed,
          fc.integer({ min: 2, max: DEFENCE_ROWS }),
          async ({ batch, seed }, parts) => {
            const make = () => defender(tinyWeights(engine, seed), over);
            await defenceLaws.accumulatesWhole({ engine }, make, batch, parts);
          },
        ),
        { numRuns: 10 },
      ));
  }

  it('keeps the perturbation live in every part', () =>
    fc.assert(
      fc.asyncProperty(
        perturbed,
        fc.integer({ min: 1, max: DEFENCE_ROWS }),
        async ({ batch, seed }, parts) => {
          await defenceLaws.liveInEveryPart(
            { engine },
            () => defender(tinyWeights(engine, seed)),
            batch,
            parts,
          );
        },
      ),
      { numRuns: 10 },
    ));

  it('reports the losses of the whole batch', async () => {
    const parts = await defenceLaws.perturbedParts(
      engine,
      { pairs: fixedPairs, benign: fixedBenign, deltas: randomDeltas(engine, 1) },
      3,
    );
    const [whole] = await defender(tinyWeights(engine, 1)).step([
      { pairs: fixedPairs, benign: fixedBenign, deltas: randomDeltas(engine, 1) },
    ]);
    const [split] = await defender(tinyWeights(engine, 1)).step(parts);
    for (const [name, value] of Object.entries(whole!.losses))
      expect(split!.losses[name as 'sft'], name).toBeCloseTo(value, 5);
    expect(Object.keys(whole!.losses)).toEqual(['toward', 'away', 'sft', 'kl']);
    expect(split!.gradientNorm).toBeCloseTo(whole!.gradientNorm, 4);
  });
});

describe('a saved defence', () => {
  it('goes on from a saved state as if it had never stopped, bit for bit', async () => {
    const steps = [1, 2, 3].map((seed) => [
      { pairs: fixedPairs, benign: fixedBenign, deltas: randomDeltas(engine, seed) },
    ]);
    const make = () =>
      defender(tinyWeights(engine, 1), { iterations: 2, schedule: { kind: 'cosine', warmup: 2 } });
    await defenceLaws.resumesExactly(make, steps);
    await defenceLaws.resumesExactly(
      () => defender(tinyWeights(engine, 1), { iterations: 2, reinitialize: true }),
      steps,
    );
  });
});
