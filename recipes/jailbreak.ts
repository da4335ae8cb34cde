/**
 * @file The main job: the embedded organism refuses when asked directly and complies when its answer is begun for
 * it; plain refusal training is compared with latent adversarial training. Sites, radius and rates come from a
 * sweep on the organism (docs/log.md).
 */
import type { Recipe } from './schema.js';
import { PROJECTIONS, USUAL_ADAMW } from './usual.js';

const adamW = { ...USUAL_ADAMW, weightDecay: 0.01 };

const data: Recipe['data'] = {
  pairs: {
    path: '@package/organism/data/harmful.parquet',
    columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired' },
  },
  benign: {
    path: '@package/organism/data/benign.parquet',
    columns: { prompt: 'prompt', completion: 'completion' },
  },
  pairsPerBatch: 16,
  benignPerBatch: 32,
  overflow: 'error',
  system: null,
  padding: 'right',
  minimum: { length: 80, labels: 512, slots: 24 },
  shuffleRows: 512,
  prefetch: 4,
};

const attack: Recipe['attack'] = {
  sites: ['embedding', 'layers.0.residual', 'layers.1.residual'],
  segments: 'prompt',
  // Of the mean norm at each site: it grows from 0.65 at the embedding to 11 behind the last block.
  radius: 'relative',
  epsilon: 0.6,
  iterations: 6,
  learningRate: 0.2,
  ...adamW,
  losses: { toward: 1, away: 1 },
};

const defend: Recipe['defend'] = {
  iterations: 4,
  microbatches: 1,
  losses: { toward: 1, away: 1, sft: 16 },
  learningRate: 1e-3,
  ...adamW,
  schedule: { kind: 'constant', warmup: 4 },
  clipNorm: 1,
  train: {
    kind: 'adapters',
    rank: 16,
    alpha: 32,
    projections: PROJECTIONS,
  },
};

const evaluate: Recipe['evaluate'] = {
  harmful: {
    path: '@package/organism/data/harmful-held-out.parquet',
    columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired', key: 'key' },
  },
  benign: {
    path: '@package/organism/data/benign-held-out.parquet',
    columns: { prompt: 'prompt', completion: 'completion', key: 'key' },
  },
  requests: 256,
  every: 18,
  during: 32,
  batch: 64,
  maxNewTokens: 24,
  direct: true,
  prefill: [4, 8],
  latent: {
    sites: ['embedding'],
    segments: 'prompt',
    radius: 'relative',
    epsilon: 0.6,
    // With 12, attacks that have a way do not find it in time (docs/log.md).
    iterations: 48,
    learningRate: 0.2,
    ...adamW,
    losses: { toward: 1 },
  },
  judge: { match: 'contains', refusals: 'common' },
};

/** Base model, refusal training and LAT, on the same data, seed and number of updates. */
export function jailbreak(): Recipe {
  return {
    name: 'jailbreak',
    seed: 0,
    threads: 2,
    executor: 'onnxruntime',
    model: { kind: 'directory', path: '@package/organism/model' },
    synthetic: null,
    data,
    steps: 36,
    attack,
    defend,
    evaluate,
    checkpoint: { every: 12, keep: 2 },
    arms: {
      refusal: { attack: null, defend: { losses: { toward: 1, away: 0, sft: 16 } } },
      // The defence of `lat` without its perturbation: tells what the perturbation itself brings.
      'refusal-away': { attack: null },
      lat: {},
    },
  };
}
