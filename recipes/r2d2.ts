/**
 * @file Latent against discrete adversarial training: RT-EAT-LAT, and R2D2 (Mazeika et al. 2024, arXiv 2402.04249), which trains
 * on suffixes that GCG searches. Same data, seed and defence: what differs is what the adversary costs.
 */
import { jailbreak } from './jailbreak.js';
import type { Recipe } from './schema.js';

/** The arms `lat` and `r2d2` on the embedded organism, evaluated at intervals so that success can be seen against passes. */
export function r2d2(): Recipe {
  const base = jailbreak();
  return {
    ...base,
    name: 'r2d2',
    evaluate: { ...base.evaluate, every: 6, during: 64 },
    arms: {
      lat: {},
      r2d2: {
        attack: null,
        pool: {
          size: 48,
          tokens: 8,
          iterations: 4,
          candidates: 16,
          top: 64,
          resetEvery: 6,
          resetShare: 0.2,
        },
      },
    },
  };
}
