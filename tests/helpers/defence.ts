/** @file Rows, perturbations and settings for trying defenders on the tiny model. */
import type { Engine, Value } from '../../engine/index.js';
import type { DefendConfig } from '../../operators/index.js';
import { ONE_SHAPE, packed, randomTensor } from '../../testing/index.js';
import { TINY_LORA, TINY_WIDTH } from './tiny-model.js';

export const DEFENCE_ROWS = 3;
export const DEFENCE_SITES = ['embedding', 'layers.1.mlp'];

export const defenceConfig: DefendConfig = {
  iterations: 1,
  microbatches: 1,
  losses: { toward: 1, away: 0.5, sft: 0.7, kl: 0.3 },
  learningRate: 0.01,
  schedule: { kind: 'constant', warmup: 0 },
  betas: [0.9, 0.999],
  adamEpsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
  train: {
    kind: 'adapters',
    rank: TINY_LORA.rank,
    alpha: TINY_LORA.alpha,
    projections: TINY_LORA.projections,
  },
};

/** A random perturbation at {@link DEFENCE_SITES} for {@link DEFENCE_ROWS} rows in one shape. */
export function randomDeltas(engine: Engine, seed: number, deviation = 0.3): Record<string, Value> {
  const shape = [DEFENCE_ROWS, ONE_SHAPE.slots, TINY_WIDTH];
  return Object.fromEntries(
    DEFENCE_SITES.map((site) => [site, engine.upload(randomTensor(shape, deviation, seed, site))]),
  );
}

/** Rows that are the same in every run. */
const one = { prompt: [3, 8, 1, 12], adversarial: [5, 6, 7], desired: [9, 10] };
const other = { prompt: [4, 4, 17], adversarial: [20, 2], desired: [11, 21, 13] };
export const fixedPairs = packed([one, other, one], {});
export const fixedBenign = packed(
  [
    { prompt: [7, 2], desired: [19, 3] },
    { prompt: [6], desired: [1] },
    { prompt: [15], desired: [2, 2] },
  ],
  { attacked: 'none' },
);
