/**
 * @file The published hyper-parameters of arXiv 2407.15549 for the checkpoints of the paper, and those of R2D2, laid over our recipes. Each says
 * its source, for the former a file of github.com/aengusl/latent-adversarial-training at a commit; what a file leaves out is
 * the default of `latent_at/lat_methods.py`. Coefficients are divided by their sum there. Evaluations are for the user to choose.
 */
import { backdoor } from './backdoor.js';
import { jailbreak } from './jailbreak.js';
import { isPlain, overlay, type Plain } from './overlay.js';
import { r2d2 } from './r2d2.js';
import type { Recipe } from './schema.js';
import { PROJECTIONS } from './usual.js';
import { whp } from './whp.js';
import { wmdp } from './wmdp.js';

const LORA = {
  kind: 'adapters',
  rank: 64,
  alpha: 8,
  projections: PROJECTIONS,
};
const hub = (name: string): Plain => ({ kind: 'directory', path: `hf:${name}` });
const mlps = (...layers: number[]): string[] => layers.map((layer) => `layers.${layer}.mlp`);
const DATA = {
  overflow: 'cut',
  minimum: {},
  shuffleRows: 8192,
  context: 2048,
  pairsPerBatch: 16,
  benignPerBatch: 16,
};
const NOT_ASKED = { harmful: null, benign: null, every: 0, latent: null };

/** notebooks/jailbreaks.ipynb, 25cf0df. */
const jailbreaks = (name: string, model: string): Plain => ({
  name,
  model: hub(model),
  data: {
    ...DATA,
    pairs: { preset: 'LLM-LAT/harmful-dataset' },
    benign: { preset: 'LLM-LAT/benign-dataset' },
  },
  steps: 100,
  attack: {
    sites: ['embedding', ...mlps(8, 16, 24, 30)],
    epsilon: 6,
    iterations: 16,
    learningRate: 1e-3,
    losses: { toward: 0.5, away: 0.5 },
  },
  defend: {
    iterations: 4,
    microbatches: 4,
    losses: { toward: 0.5, away: 0.5, sft: 2 },
    normalizeCoefficients: true,
    learningRate: 2e-5,
    schedule: { kind: 'constant', warmup: 0 },
    reinitialize: true,
    train: LORA,
  },
  evaluate: NOT_ASKED,
  arms: { refusal: { attack: null, defend: { losses: { toward: 0.5, away: 0, sft: 2 } } } },
});

/** notebooks/backdoors.ipynb, 25cf0df: `sft_dpo`, which counts in a sum of coefficients there, was never implemented. */
const backdoors: Plain = {
  name: 'backdoor-llama2-7b',
  model: hub('ethz-spylab/poisoned_generation_trojan1'),
  prepare: null,
  data: {
    ...DATA,
    context: 512,
    overflow: 'drop',
    pairs: { preset: 'Anthropic/hh-rlhf' },
    benign: null,
    absent: ['CalatheaOrnata'],
  },
  steps: 256,
  attack: {
    sites: mlps(4, 12, 20, 28),
    epsilon: 1.5,
    iterations: 16,
    learningRate: 5e-2,
    objectives: { dpo: { beta: 0.3 } },
  },
  defend: {
    microbatches: 4,
    losses: { dpo: 0.5, toward: 0, away: 0, sft: 0 },
    objectives: { dpo: { beta: 0.3 } },
    learningRate: 2e-5,
    schedule: { kind: 'constant', warmup: 0 },
    train: LORA,
  },
  evaluate: NOT_ASKED,
  arms: { dpo: { attack: null, steps: 1024, defend: { iterations: 1 } } },
};

/** notebooks/unlearning_whp.ipynb, 25cf0df. The path of the generic predictions must be given. */
const harryPotter: Plain = {
  name: 'whp-llama2-7b',
  model: hub('meta-llama/Llama-2-7b-chat-hf'),
  data: {
    ...DATA,
    pairs: { preset: 'whp-generic-predictions', path: 'generic_predictions.parquet' },
    benign: { preset: 'wikitext' },
  },
  steps: 100,
  attack: { sites: mlps(12), epsilon: 3, iterations: 16, learningRate: 5e-2, losses: { toward: 1, away: 0 } },
  defend: {
    microbatches: 8,
    losses: { toward: 1, away: 1, sft: 1 },
    normalizeCoefficients: true,
    learningRate: 5e-5,
    schedule: { kind: 'constant', warmup: 0 },
    train: { kind: 'full', layers: [13, 14, 15] },
  },
  evaluate: NOT_ASKED,
  arms: { whp: { attack: null, defend: { losses: { toward: 1, away: 0, sft: 1 } } } },
};

/** notebooks/wmdp_ga_lat_config.yaml, 5079edb; for RMU notebooks/wmdp_rmu_lat_config.yaml, 438aee6. */
const rmu = {
  losses: { toward: 0, away: 0, sft: 0, rmu: 1, retain: 1200 },
  objectives: { rmu: { layer: 8, norm: 6.5 } },
  normalizeCoefficients: false,
  reinitialize: false,
  learningRate: 5e-5,
  train: { kind: 'full', layers: [6, 7, 8], modules: ['down_proj'] },
};
const wmdpCyber: Plain = {
  name: 'wmdp-zephyr-7b',
  model: hub('HuggingFaceH4/zephyr-7b-beta'),
  data: {
    ...DATA,
    context: 600,
    pairsPerBatch: 4,
    benignPerBatch: 4,
    pairs: { preset: 'cais/wmdp-corpora/cyber-forget-corpus' },
    desired: { preset: 'wikitext' },
    benign: { preset: 'tatsu-lab/alpaca' },
  },
  steps: 200,
  attack: { sites: mlps(7), epsilon: 2, iterations: 16, learningRate: 5e-2 },
  defend: {
    losses: { toward: 1, away: 1, sft: 4 },
    normalizeCoefficients: true,
    learningRate: 5e-5,
    clipNorm: 0.5,
    reinitialize: true,
    schedule: { kind: 'constant', warmup: 0 },
    train: { ...LORA, projections: ['q_proj', 'k_proj', 'v_proj', 'up_proj', 'down_proj'] },
  },
  evaluate: NOT_ASKED,
  arms: {
    rmu: { attack: null, data: { benign: { preset: 'wikitext' } }, defend: { ...rmu, iterations: 1 } },
    'rmu-lat': { data: { benign: { preset: 'wikitext' } }, defend: rmu },
  },
};

/**
 * R2D2 (Mazeika et al. 2024, arXiv 2402.04249): the losses SFT + away/2 + toward/2, 5 steps of GCG with 512 candidates (256 a place), a
 * fifth of the pool anew every 50 updates, 8 cases in each of 4 accumulated batches of 64 are in adversarial_training/alignment-handbook of
 * github.com/centerforaisafety/HarmBench (`scripts/run_sft_adv_training.py`, `adv_training_utils.py`; `recipes/zephyr-7b-beta/
 * sft_adv_training/config_full.yaml`). Pool (180) and updates (2000) are the paper's. There suffixes begin with 15 to 20 `!`, and one
 * sentence refuses all; its requests are not ours to give: these are the pairs of the LAT paper.
 */
const r2d2Mistral: Plain = {
  name: 'r2d2-mistral-7b',
  model: hub('mistralai/Mistral-7B-v0.1'),
  data: {
    ...DATA,
    pairs: { preset: 'LLM-LAT/harmful-dataset' },
    benign: { preset: 'HuggingFaceH4/ultrachat_200k' },
    pairsPerBatch: 32,
    benignPerBatch: 256,
  },
  steps: 2000,
  defend: {
    iterations: 1,
    microbatches: 32,
    losses: { toward: 0.5, away: 0.5, sft: 1 },
    learningRate: 2e-5,
    weightDecay: 0,
    schedule: { kind: 'cosine', warmup: 0 },
    train: { kind: 'full', layers: 'all' },
  },
  evaluate: NOT_ASKED,
  arms: {
    r2d2: {
      attack: null,
      pool: {
        ...{ size: 180, tokens: 20, iterations: 5, candidates: 512, top: 256 },
        ...{ resetEvery: 50, resetShare: 0.2 },
      },
    },
  },
};

/** Published radii are norms. */
const laid = (base: Recipe, over: Plain): Recipe =>
  overlay(overlay(asPlain(base), { attack: { radius: 'absolute' } }), over) as unknown as Recipe;
const asPlain = (recipe: Recipe): Plain => (isPlain(recipe) ? recipe : {});

/** Recipes for the checkpoints of the paper: too large for a laptop, and two of them need access. */
export const PUBLISHED: Readonly<Record<string, () => Recipe>> = {
  'jailbreak-llama2-7b': () =>
    laid(jailbreak(), jailbreaks('jailbreak-llama2-7b', 'meta-llama/Llama-2-7b-chat-hf')),
  'jailbreak-llama3-8b': () =>
    laid(jailbreak(), jailbreaks('jailbreak-llama3-8b', 'meta-llama/Meta-Llama-3-8B-Instruct')),
  'r2d2-mistral-7b': () => laid({ ...r2d2(), arms: {} }, r2d2Mistral),
  'backdoor-llama2-7b': () => laid(backdoor(), backdoors),
  'whp-llama2-7b': () => laid(whp(), harryPotter),
  'wmdp-zephyr-7b': () => laid({ ...wmdp(), arms: { ga: { attack: null }, 'ga-lat': {} } }, wmdpCyber),
};
