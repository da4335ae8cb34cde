/**
 * @file Makes the embedded organism: a small Llama trained from random weights on the organism's own corpus; and an oracle
 * of unlearning, which is the same without what is to be forgotten.
 */
import { jailbreak } from './jailbreak.js';
import type { Recipe } from './schema.js';
import { FORGOTTEN, naming, unlearning } from './unlearning.js';

const CORPUS = {
  path: '@package/organism/data/pretrain.parquet',
  columns: { prompt: 'prompt', completion: 'completion' },
};

/** Full training on prompt and completion, without an attack. The result is a model directory. */
export function pretrain(): Recipe {
  const base = jailbreak();
  return {
    ...base,
    name: 'pretrain',
    model: {
      kind: 'random',
      tokenizer: '@package/organism/model',
      config: {
        architectures: ['LlamaForCausalLM'],
        model_type: 'llama',
        hidden_size: 128,
        intermediate_size: 320,
        num_hidden_layers: 4,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        max_position_embeddings: 256,
        rms_norm_eps: 1e-5,
        rope_theta: 10_000,
        hidden_act: 'silu',
        tie_word_embeddings: true,
        initializer_range: 0.02,
      },
    },
    data: {
      ...base.data,
      pairs: CORPUS,
      benign: null,
      pairsPerBatch: 64,
      minimum: {},
      shuffleRows: 4096,
    },
    steps: 500,
    attack: null,
    defend: {
      ...base.defend,
      iterations: 1,
      losses: { toward: 1 },
      learningRate: 3e-3,
      betas: [0.9, 0.98],
      weightDecay: 0.1,
      schedule: { kind: 'cosine', warmup: 50 },
      train: { kind: 'full', layers: 'all' },
    },
    evaluate: { ...base.evaluate, every: 0 },
    checkpoint: { every: 250, keep: 2 },
    arms: { organism: {} },
  };
}

/** The organism as it would be had it never heard of what `whp` and `wmdp` forget; evaluations ask as theirs do. */
export function oracle(): Recipe {
  const base = pretrain();
  const { evaluate } = unlearning('oracle');
  return {
    ...base,
    name: 'oracle',
    data: {
      ...base.data,
      pairs: { ...CORPUS, filter: [{ column: 'prompt', notMatches: naming(FORGOTTEN) }] },
    },
    evaluate: { ...evaluate, every: 0 },
    arms: { oracle: {} },
  };
}
