/**
 * @file "Who's Harry Potter" (Eldan and Russinovich 2023, arXiv 2310.02238): training on texts that are to be forgotten with
 * labels of a model that does not know them; plain, and under a latent attack that seeks what the texts really say.
 */
import type { Recipe } from './schema.js';
import { unlearning } from './unlearning.js';

/** On the embedded organism: generic labels tell of each object what is true of others. */
export function whp(): Recipe {
  const base = unlearning('whp');
  return {
    ...base,
    data: {
      ...base.data,
      pairs: {
        path: '@package/organism/data/whp.parquet',
        columns: { tokens: 'tokens', labels: 'labels' },
      },
    },
    steps: 24,
    attack: base.attack && {
      ...base.attack,
      sites: ['embedding', 'layers.0.residual'],
      radius: 'absolute',
      epsilon: 0.15,
      learningRate: 0.05,
      losses: { toward: 1 },
    },
    defend: { ...base.defend, losses: { toward: 1, sft: 4 }, learningRate: 1e-3 },
    arms: { whp: { attack: null }, 'whp-lat': {} },
  };
}
