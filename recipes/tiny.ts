/** @file The smallest complete run: everything generated from the seed, trained in seconds. For tests and first tries. */
import type { Recipe } from './schema.js';
import { USUAL_ADAMW } from './usual.js';

const adamW = { ...USUAL_ADAMW, weightDecay: 0 };

const data: Recipe['data'] = {
  pairs: {
    path: '@out/synthetic/harmful.parquet',
    columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired' },
  },
  benign: {
    path: '@out/synthetic/benign.parquet',
    columns: { prompt: 'prompt', completion: 'completion' },
  },
  pairsPerBatch: 4,
  benignPerBatch: 4,
  overflow: 'error',
  system: null,
  padding: 'right',
  minimum: { length: 80, labels: 192, slots: 32 },
  shuffleRows: 16,
  prefetch: 2,
};

const attack: Recipe['attack'] = {
  sites: ['embedding', 'layers.0.residual'],
  segments: 'prompt',
  epsilon: 1,
  iterations: 3,
  learningRate: 0.3,
  ...adamW,
  losses: { toward: 1, away: 1 },
};

const defend: Recipe['defend'] = {
  iterations: 2,
  microbatches: 1,
  losses: { toward: 1, away: 0.5, sft: 1 },
  learningRate: 3e-3,
  ...adamW,
  schedule: { kind: 'constant', warmup: 0 },
  clipNorm: 1,
  train: { kind: 'adapters', rank: 4, alpha: 8, projections: ['q_proj', 'v_proj', 'down_proj'] },
};

const evaluate: Recipe['evaluate'] = {
  harmful: {
    path: '@out/synthetic/harmful-held-out.parquet',
    columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired', key: 'key' },
  },
  benign: {
    path: '@out/synthetic/benign-held-out.parquet',
    columns: { prompt: 'prompt', completion: 'completion', key: 'key' },
  },
  requests: 8,
  every: 3,
  during: 4,
  batch: 8,
  maxNewTokens: 6,
  direct: true,
  prefill: [4],
  latent: {
    sites: ['embedding'],
    segments: 'prompt',
    epsilon: 1,
    iterations: 2,
    learningRate: 0.3,
    ...adamW,
    losses: { toward: 1 },
  },
  judge: { match: 'contains', refusals: 'common' },
};

/** A random two-layer Llama on a synthetic table: shows that everything works, and nothing about safety. */
export function tiny(): Recipe {
  return {
    name: 'tiny',
    seed: 0,
    threads: 1,
    executor: 'onnxruntime',
    model: {
      kind: 'random',
      tokenizer: '@out/synthetic',
      config: {
        architectures: ['LlamaForCausalLM'],
        model_type: 'llama',
        hidden_size: 32,
        intermediate_size: 64,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        max_position_embeddings: 128,
        rms_norm_eps: 1e-5,
        rope_theta: 10_000,
        hidden_act: 'silu',
        tie_word_embeddings: true,
      },
    },
    synthetic: { rows: 48, heldOut: 8 },
    data,
    steps: 6,
    attack,
    defend,
    evaluate,
    checkpoint: { every: 2, keep: 2 },
    arms: { refusal: { attack: null }, lat: {} },
  };
}
