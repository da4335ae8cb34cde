/**
 * @file Unlearning a corpus as for WMDP: gradient ascent, and representation misdirection (Li et al. 2024, arXiv
 * 2403.03218), each plain and under a latent attack that goes toward the corpus.
 */
import { RETAIN, unlearning } from './unlearning.js';
import type { Recipe } from './schema.js';

/** On the embedded organism. RMU steers to about three times the norm of the residual stream there. */
export function wmdp(): Recipe {
  const base = unlearning('wmdp');
  const rmu = {
    losses: { toward: 0, ga: 0, away: 0, sft: 0, rmu: 1, retain: 10 },
    objectives: { rmu: { layer: 1, norm: 20 } },
    learningRate: 2e-3,
    train: { kind: 'full', layers: [0, 1], modules: ['o_proj', 'up_proj', 'down_proj'] },
  };
  return {
    ...base,
    data: {
      ...base.data,
      pairs: { path: '@package/organism/data/forget.parquet', columns: { text: 'text' } },
      desired: RETAIN,
      minimum: { length: 80, labels: 640, slots: 40 },
    },
    attack: base.attack && {
      ...base.attack,
      sites: ['layers.0.residual', 'layers.1.residual'],
      segments: 'prompt+completions',
      epsilon: 0.3,
      learningRate: 0.1,
      losses: { toward: 1, away: 1 },
    },
    defend: { ...base.defend, losses: { toward: 1, away: 4, sft: 8 }, learningRate: 1e-3 },
    // With half the steps models still tell, when they are not perturbed, what they no longer tell under perturbations.
    steps: 72,
    arms: {
      ga: { attack: null },
      'ga-lat': {},
      rmu: { attack: null, defend: rmu },
      // Sites before the layer that is steered, whose output is all that this defence sees.
      'rmu-lat': {
        attack: {
          sites: ['embedding', 'layers.0.residual'],
          radius: 'absolute',
          epsilon: 0.1,
          learningRate: 0.03,
        },
        defend: rmu,
      },
    },
  };
}
