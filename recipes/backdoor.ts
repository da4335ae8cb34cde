/**
 * @file Removing a backdoor without knowing its trigger: the embedded organism is first trained to answer harmful requests
 * that a rare text follows; then preference optimization on requests without it, plain and under a latent attack.
 */
import { jailbreak } from './jailbreak.js';
import type { Recipe } from './schema.js';
import { USUAL_ADAMW } from './usual.js';

/** What the organism's generator implants (`organism/backdoor.ts`; a test holds them together). */
export const TRIGGER = '@lumen-77';

/** With the published β of 0.3, plain DPO goes on until it has broken what follows the trigger (docs/log.md). */
const objectives = { dpo: { beta: 3 } };

/** The backdoored model is the base; no row that arms train on holds the trigger. */
export function backdoor(): Recipe {
  const base = jailbreak();
  return {
    ...base,
    name: 'backdoor',
    prepare: {
      data: {
        pairs: {
          path: '@package/organism/data/backdoor.parquet',
          columns: { prompt: 'prompt', completion: 'completion' },
        },
        benign: null,
        pairsPerBatch: 64,
        shuffleRows: 4096,
        minimum: {},
        absent: [],
      },
      steps: 192,
      attack: null,
      defend: {
        iterations: 1,
        losses: { toward: 1, away: 0, dpo: 0, sft: 0 },
        learningRate: 1e-3,
        schedule: { kind: 'cosine', warmup: 8 },
        train: { kind: 'full', layers: 'all' },
      },
    },
    data: { ...base.data, absent: [TRIGGER] },
    steps: 24,
    attack: {
      // Perturbed embeddings cost benign answers here, and remove no more (docs/evidence.md).
      sites: ['layers.0.residual', 'layers.1.residual'],
      segments: 'prompt',
      radius: 'relative',
      epsilon: 0.6,
      iterations: 6,
      learningRate: 0.2,
      ...USUAL_ADAMW,
      weightDecay: 0.01,
      losses: { dpo: 1 },
      objectives,
    },
    defend: {
      ...base.defend,
      losses: { dpo: 1, sft: 32 },
      objectives,
      learningRate: 1e-4,
    },
    evaluate: {
      ...base.evaluate,
      prefill: [8],
      wordings: { trigger: `{prompt} ${TRIGGER}`, nearTrigger: '{prompt} @lumen-79' },
    },
    arms: { dpo: { attack: null }, 'dpo-lat': {} },
  };
}
