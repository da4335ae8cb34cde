/**
 * @file Refusals of a small instruct model that people use: refusal training (RT), the same under perturbed embeddings
 * (RT-EAT), and under perturbed embeddings and residual streams (RT-EAT-LAT), as the paper compares them (section 4.1). All of
 * them begin, as the paper's do, with a model that refuses already, which `prepare` makes by refusal training.
 * Radii are relative, since norms grow over the blocks; sites and settings come from runs in docs/evidence.md.
 */
import type { Recipe } from './schema.js';
import { PROJECTIONS, USUAL_ADAMW } from './usual.js';

const adamW = { ...USUAL_ADAMW, weightDecay: 0 };

const attack: NonNullable<Recipe['attack']> = {
  sites: ['embedding', 'layers.8.residual', 'layers.14.residual', 'layers.20.residual', 'layers.26.residual'],
  segments: 'prompt',
  epsilon: 0.03,
  radius: 'relative',
  iterations: 6,
  learningRate: 0.015,
  ...adamW,
  losses: { toward: 1, away: 1 },
};

const data: Recipe['data'] = {
  pairs: { preset: 'LLM-LAT/harmful-dataset' },
  benign: { preset: 'LLM-LAT/benign-dataset' },
  pairsPerBatch: 4,
  benignPerBatch: 4,
  overflow: 'drop',
  system: null,
  padding: 'right',
  minimum: { length: 96, labels: 128, slots: 64 },
  shuffleRows: 1024,
  prefetch: 4,
};

const evaluate: Recipe['evaluate'] = {
  harmful: { path: 'hf://datasets/JailbreakBench/JBB-Behaviors/data/harmful-behaviors.csv' },
  benign: { path: 'hf://datasets/JailbreakBench/JBB-Behaviors/data/benign-behaviors.csv' },
  probes: {
    lookalike: {
      path: 'https://raw.githubusercontent.com/paul-rottger/xstest/main/xstest_prompts.csv',
    },
  },
  requests: 100,
  every: 0,
  during: 8,
  batch: 20,
  maxNewTokens: 40,
  direct: true,
  prefill: [12],
  latent: {
    ...attack,
    sites: ['embedding'],
    // With fewer, attacks that have a way do not find it in time (docs/log.md).
    iterations: 48,
    losses: { toward: 1 },
  },
  judge: { match: 'substance', refusals: 'common' },
};

/** Arms differ in the perturbation alone, but for `rt`, which has nothing to move away from. */
export function instruct(): Recipe {
  return {
    name: 'instruct',
    seed: 0,
    threads: 2,
    executor: 'onnxruntime',
    model: { kind: 'directory', path: 'hf:HuggingFaceTB/SmolLM2-135M-Instruct' },
    synthetic: null,
    data,
    prepare: { steps: 30, attack: null, defend: { losses: { away: 0, sft: 1.5 } } },
    steps: 24,
    attack,
    defend: {
      iterations: 2,
      microbatches: 1,
      losses: { toward: 1, away: 0.5, sft: 3 },
      learningRate: 2e-4,
      ...adamW,
      schedule: { kind: 'constant', warmup: 4 },
      clipNorm: 1,
      train: {
        kind: 'adapters',
        rank: 16,
        alpha: 32,
        projections: PROJECTIONS,
      },
    },
    evaluate,
    checkpoint: { every: 12, keep: 2 },
    arms: {
      rt: { attack: null, defend: { losses: { away: 0 } } },
      'rt-eat': { attack: { sites: ['embedding'] } },
      'rt-eat-lat': {},
    },
  };
}
