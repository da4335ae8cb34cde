/** @file Attacks and defences on models of every family: all sites at once, all modules adapted, chosen blocks trained. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  blockPath,
  createEngine,
  onnxruntimeExecutor,
  projectionNames,
  siteNames,
  type HostTensor,
} from '../../engine/index.js';
import { createAttack, createDefender, type AttackConfig } from '../../operators/index.js';
import { defenceConfig } from '../helpers/defence.js';
import { FAMILIES, tinyModel } from '../engine/models/tiny.js';
import { attackLaws, packed, uploaded } from '../../testing/index.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const pairs = packed(
  [
    { prompt: [3, 8, 1, 9], adversarial: [5, 6, 7], desired: [9, 10] },
    { prompt: [4, 4, 7], adversarial: [2, 2], desired: [8, 1, 3] },
  ],
  {},
);
const attack: AttackConfig = {
  sites: ['embedding'],
  segments: 'prompt',
  epsilon: 1,
  iterations: 4,
  learningRate: 0.3,
  betas: [0.9, 0.999],
  adamEpsilon: 1e-8,
  weightDecay: 0.01,
  losses: { toward: 1, away: 0.5 },
};

describe.each(Object.entries(FAMILIES))('%s', (_, family) => {
  const { config, parameters } = tinyModel(3, family);
  const model = { config };
  const weights = { parameters: uploaded(engine, parameters), adapters: {} };

  it('is attacked at all of its sites at once', async () => {
    const everywhere = { ...attack, sites: siteNames(config) };
    const make = (epsilon: number) => createAttack(engine, model, { ...everywhere, epsilon });
    const bench = { engine, model, weights, batch: pairs };
    await attackLaws.lowersItsLoss(bench, everywhere, make(1), 0.3);
    await attackLaws.identityAtZero(bench, make);
  });

  it.each([
    { kind: 'adapters' as const, rank: 2, alpha: 4, projections: projectionNames(config) },
    { kind: 'full' as const, layers: [1] },
  ])('is defended by training $kind', async (train) => {
    const over = { ...defenceConfig, train, iterations: 3, losses: { toward: 1 } };
    const trained = createDefender(engine, model, over, { weights, updates: 10, seed: 5 });
    const trace = await trained.step([{ pairs, deltas: {} }]);
    expect(trace.at(-1)!.loss).toBeLessThan(trace[0]!.loss);
    if (train.kind !== 'full') return;
    const block = `${blockPath(config.modules, 1)}.`;
    for (const [name, value] of Object.entries(trained.weights().parameters)) {
      const before: HostTensor = parameters[name]!;
      const same = (await engine.download(value)).data.every((each, at) => each === before.data[at]);
      expect(same, name).toBe(!name.startsWith(block));
    }
  });
});
