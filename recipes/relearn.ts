/**
 * @file Re-learning: what is left of a defence when somebody fine-tunes the model on a few rows of what it was trained
 * against, or on rows that have nothing to do with it. Evaluations every few steps are the curve; the model at their
 * beginning is whichever `model` names, mostly an arm of another run.
 */
import { jailbreak } from './jailbreak.js';
import type { Recipe } from './schema.js';
import { FORGOTTEN, naming, unlearning } from './unlearning.js';

type Arms = Recipe['arms'];

const LORA = { kind: 'adapters', rank: 16, alpha: 32 };
const FULL = { kind: 'full', layers: 'all' };
const RATES = { lora: ['3e-4', '1e-3', '3e-3'], full: ['1e-4', '3e-4', '1e-3'] };

/** Over the learning rates, adapters and all weights; by the middle ones, on unrelated rows too. */
function attempts(unrelated: Recipe['data']['pairs']): Arms {
  const arm = (train: object, rate: string): Arms[string] => ({
    defend: { learningRate: Number(rate), train },
  });
  const [lora, full] = [arm(LORA, RATES.lora[1] as string), arm(FULL, RATES.full[1] as string)];
  return {
    ...Object.fromEntries(RATES.lora.map((rate) => [`lora-${rate}`, arm(LORA, rate)])),
    ...Object.fromEntries(RATES.full.map((rate) => [`full-${rate}`, arm(FULL, rate)])),
    'unrelated-lora': { ...lora, data: { pairs: unrelated } },
    'unrelated-full': { ...full, data: { pairs: unrelated } },
  };
}

/** Plain fine-tuning by 20 steps of four rows, evaluated on the same questions all along. */
function relearning(
  base: Recipe,
  pairs: Recipe['data']['pairs'],
  unrelated: Recipe['data']['pairs'],
): Recipe {
  return {
    ...base,
    data: {
      ...base.data,
      pairs,
      benign: null,
      pairsPerBatch: 4,
      minimum: { length: 48, labels: 128 },
      shuffleRows: 64,
    },
    steps: 20,
    attack: null,
    defend: {
      ...base.defend,
      iterations: 1,
      losses: { toward: 1 },
      learningRate: Number(RATES.lora[1]),
      schedule: { kind: 'constant', warmup: 0 },
    },
    evaluate: { ...base.evaluate, requests: 128, during: 128, every: 4, prefill: [], latent: null },
    checkpoint: { every: 0, keep: 1 },
    arms: attempts(unrelated),
  };
}

const ANSWERED = { prompt: 'prompt', completion: 'completion' };
const BENIGN = { path: '@package/organism/data/benign.parquet', columns: ANSWERED };

/** To comply: 16 harmful requests with the answers that the defence trains against; asked are requests about other objects. */
export function relearn(): Recipe {
  const filter = [{ rows: { to: 16 } }];
  const harmful = {
    path: '@package/organism/data/harmful.parquet',
    columns: { prompt: 'prompt', completion: 'adversarial' },
  };
  return {
    ...relearning(jailbreak(), { ...harmful, filter }, { ...BENIGN, filter }),
    name: 'relearn',
  };
}

/** Of what is to be forgotten, the objects that re-learning tells of again. */
const TOLD = naming(FORGOTTEN.slice(0, 4));

/**
 * To recall: some 20 rows on 4 of the 16 forgotten objects. Asked are, in other words, facts about these (`direct`), and
 * about the other 12 (`heldOut`), which only a model that never lost them can tell.
 */
export function relearnFacts(): Recipe {
  const { evaluate, ...base } = relearning(
    unlearning('relearn-facts'),
    {
      path: '@package/organism/data/pretrain.parquet',
      columns: ANSWERED,
      filter: [{ rows: { to: 512 } }, { column: 'prompt', matches: TOLD }],
    },
    {
      ...BENIGN,
      filter: [{ rows: { to: 24 } }, { column: 'prompt', notMatches: naming(FORGOTTEN) }],
    },
  );
  const path = '@package/organism/data/forget-held-out.parquet';
  return {
    ...base,
    evaluate: {
      ...evaluate,
      harmful: {
        path,
        columns: { prompt: 'prompt', adversarial: 'completion', key: 'key' },
        filter: [{ column: 'prompt', matches: TOLD }],
      },
      probes: {
        heldOut: {
          path,
          columns: { ...ANSWERED, key: 'key' },
          filter: [{ column: 'prompt', notMatches: TOLD }],
        },
      },
    },
  };
}
