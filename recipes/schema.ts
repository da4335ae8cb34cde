/** @file What a recipe may say: one strict schema, from which the type is derived. Depends on zod and on config types. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { FORMATS, SHAPES } from '../datasets/light/index.js';
import type {
  AttackConfig,
  DefendConfig,
  EvaluateConfig,
  PoolConfig,
  TriggerConfig,
} from '../operators/index.js';
import { adaptiveAttacks, outside, pool, proxy } from './adaptive-attacks.js';
import { ADAMW, attack } from './attack.js';
import { checkpoint } from './checkpoints.js';
import { defendLosses, defendObjectives } from './objectives.js';
import { asked, chats, filter, source } from './tables.js';

/** Most threads of a runtime: far more than help, few enough to be started. */
export const MOST_THREADS = Math.max(1024, 4 * availableParallelism());

const count = z.int().nonnegative();
const positive = z.int().positive();

const train = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('adapters'),
    rank: positive,
    alpha: z.number().positive(),
    projections: z.array(z.string()).min(1),
  }),
  z.strictObject({
    kind: z.literal('full'),
    layers: z.union([z.literal('all'), z.array(count).min(1)]),
    /** Modules of these layers that are trained, such as `down_proj`; all if not given. */
    modules: z.array(z.string()).min(1).exactOptional(),
  }),
]);

const defend = z.strictObject({
  iterations: positive,
  microbatches: positive,
  losses: z.strictObject(defendLosses),
  objectives: defendObjectives.exactOptional(),
  normalizeCoefficients: z.boolean().exactOptional(),
  ...ADAMW,
  schedule: z.strictObject({ kind: z.enum(['constant', 'cosine', 'linear']), warmup: count }),
  clipNorm: z.number().positive(),
  reinitialize: z.boolean().exactOptional(),
  train,
});

const place = z.union([z.string(), z.array(z.string()).min(1)]);
/** A dataset to train on: named by a preset, or by its path and columns; what is given beside a preset counts. */
const dataset = z
  .strictObject({
    preset: z.string().exactOptional(),
    /** A file, a folder, a pattern, `hf://datasets/NAME`, `https://…`, or a list of these. */
    path: place.exactOptional(),
    columns: z.record(z.string(), z.string()).exactOptional(),
    format: z.enum(FORMATS).exactOptional(),
    shape: z.enum(SHAPES).exactOptional(),
    /** All must hold. */
    filter: z.array(filter).exactOptional(),
    /** Share in a mixture, against those of the others. */
    weight: z.number().positive().exactOptional(),
    /** False: it ends after its first epoch. */
    repeat: z.boolean().exactOptional(),
  })
  .refine(
    ({ preset, path, columns }) => preset !== undefined || (path !== undefined && columns !== undefined),
    'a preset, or path and columns',
  );

/** One dataset, or a mixture. */
const datasets = z.union([dataset, z.array(dataset).min(1)]);

const judge = z.strictObject({
  match: z.enum(['exact', 'contains', 'substance']),
  refusals: z.union([z.literal('common'), z.array(z.string()).min(1)]),
  /** Judges instead of the rules. */
  by: outside.exactOptional(),
});

const evaluate = z.strictObject({
  /** Held-out requests with columns `prompt`, `adversarial` (the compliant answer, or its opening) and, optionally, `key`. */
  harmful: asked.nullable(),
  /** Held-out benign rows with columns `prompt`, `completion` and, optionally, `key`. */
  benign: asked.nullable(),
  /** Further tables by name, asked and judged like benign ones: look-alikes, facts. */
  probes: z.record(z.string().regex(/^\w[\w.-]*$/), asked).exactOptional(),
  /** Tables of multiple choice by name: `question`, `choices`, `answer`. */
  choices: z.record(z.string().regex(/^\w[\w.-]*$/), asked).exactOptional(),
  /** Most rows of each table that are asked. */
  requests: positive,
  /** Steps between evaluations during training; 0 for none. */
  every: count,
  /** Most rows of each table that are asked during training. */
  during: positive,
  /** Requests that are answered together. */
  batch: positive,
  maxNewTokens: positive,
  direct: z.boolean(),
  /** Tokens of the compliant answer that are put into the model's mouth, one attack for each number. */
  prefill: z.array(positive),
  /** Complied-with requests before the request, one attack for each number. */
  manyShot: z.array(positive).exactOptional(),
  /** Texts with `{prompt}` in them, by name. */
  wordings: z.record(z.string().regex(/^\w[\w.-]*$/), z.string().includes('{prompt}')).exactOptional(),
  /** The latent attack; null for none. */
  latent: attack.nullable(),
  /** The same at other sites and radii, and for longer: every combination. */
  grid: z
    .strictObject({
      sites: z.array(z.array(z.string()).min(1)).min(1),
      epsilon: z.array(z.number().nonnegative()).min(1),
      iterations: z.array(positive).min(1).exactOptional(),
    })
    .exactOptional(),
  ...adaptiveAttacks,
  /** Questions with a list of `turns`, or a `prompt`, whose answers somebody outside scores. */
  quality: chats.exactOptional(),
  judge,
});

const model = z.discriminatedUnion('kind', [
  /** A directory in Hugging Face layout. */
  z.strictObject({ kind: z.literal('directory'), path: z.string() }),
  /** Seeded random weights of a Hugging Face configuration, with the tokenizer of some directory. */
  z.strictObject({
    kind: z.literal('random'),
    config: z.record(z.string(), z.unknown()),
    tokenizer: z.string(),
  }),
  /** What an arm of another run ended with, by that run's directory; `base` is what its arms began with. */
  z.strictObject({ kind: z.literal('run'), path: z.string(), arm: z.string() }),
]);

const data = z.strictObject({
  /**
   * Columns `prompt`, `adversarial`, `desired`; or `prompt`, `completion`, which then is the desired one; or `text`, running
   * text that is to be forgotten (the adversarial one); or `tokens`, `labels`: ids, and what should stand in place of each.
   */
  pairs: datasets,
  /** Running text (`text`) that pairs of running text are to go to instead, row by row. */
  desired: datasets.nullable().exactOptional(),
  /** Columns `prompt`, `completion`, or `messages`, or `text`; null where the losses need none. */
  benign: datasets.nullable(),
  /** Rows of a batch. */
  pairsPerBatch: positive,
  benignPerBatch: positive,
  /** Longest example, in tokens: the model's context if not given. */
  context: positive.exactOptional(),
  /** What happens to longer rows; `cut` keeps the beginnings of texts and completions. */
  overflow: z.enum(['error', 'drop', 'cut']),
  /** Texts that no row may hold, such as a backdoor's trigger: a row that does ends the run. */
  absent: z.array(z.string().min(1)).exactOptional(),
  /** A text behind so large a share of the pairs' prompts: this one, or that of a file that a search for a trigger wrote. */
  appended: z
    .strictObject({
      text: z.string().min(1).exactOptional(),
      path: z.string().exactOptional(),
      share: z.number().min(0).max(1),
    })
    .refine(({ text, path }) => (text === undefined) !== (path === undefined), 'a text or a path')
    .nullable()
    .exactOptional(),
  /** A system message before each prompt. */
  system: z.string().nullable(),
  /** Which of the assistant's turns in a conversation losses are taken on: the last if not given. */
  turns: z.enum(['last', 'all']).exactOptional(),
  /** Threads that tokenize: 1 if not given; 0 leaves it to the thread that trains. */
  threads: count.max(64).exactOptional(),
  /** A folder that keeps tokenized rows for later runs, such as `@cache/tokens` (of this user); none if null or not given. */
  cache: z.string().nullable().exactOptional(),
  padding: z.enum(['left', 'right']),
  /** Batches have at least these sizes: large ones make a run compile a single shape. */
  minimum: z.strictObject({
    length: positive.exactOptional(),
    labels: positive.exactOptional(),
    slots: positive.exactOptional(),
  }),
  /** Rows held and mixed at a time; 0 keeps the order of the file. */
  shuffleRows: count,
  /** Batches that are made ahead. */
  prefetch: count,
});

const precision = z.enum(['float32', 'float16', 'bfloat16']);

/** Names of arms are names of folders in a run's directory, beside these. */
const armName = z
  .string()
  .regex(/^\w[\w.-]*$/)
  .regex(/^(?!(base|prepare|proxy|synthetic)$)/, 'a name that the run itself does not use');

/** Everything a run is told. Every arm is an overlay of the recipe (deep merge; null and lists replace). */
export const recipeSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'letters, digits, dots, dashes and underscores'),
  seed: z.int().nonnegative(),
  /** Threads of the runtime; part of what decides the bits of a result. */
  threads: positive.max(MOST_THREADS),
  /** Where programs run: `onnxruntime` is the CPU, `auto` a GPU where one can; a run's own recipe says what that was. */
  executor: z.enum(['auto', 'onnxruntime', 'webgpu', 'cuda', 'tfjs']),
  /** Which CUDA device, of several. */
  device: count.exactOptional(),
  /** What passes back read: `keep` (if not given) holds it, `recompute` one stream a block: less memory, a third more time, the same bits. */
  activations: z.enum(['keep', 'recompute']).exactOptional(),
  /** What matrix products, and what is made of them alone, are computed in: float32 if not given (docs/accelerators.md). */
  precision: precision.exactOptional(),
  /** For float16: the power of two on losses while they are differentiated, and the good updates before it is doubled. */
  lossScale: z.strictObject({ initial: positive, growAfter: count }).exactOptional(),
  /** What frozen matrices are kept in: as `precision` if not given. A model that was published in the type loses nothing. */
  weights: precision.exactOptional(),
  model,
  /** Tables, tokenizer and all, generated into the run's directory; null where the data exist. */
  synthetic: z.strictObject({ rows: positive, heldOut: positive }).nullable(),
  data,
  steps: positive,
  attack: attack.nullable(),
  /** Searched suffixes behind the requests that are trained on; null or not given for none. */
  pool: pool.nullable().exactOptional(),
  defend,
  evaluate,
  checkpoint,
  /** What the model is trained to before there are arms, as an overlay like theirs: the base model is what comes of it. */
  prepare: z.record(z.string(), z.unknown()).nullable().exactOptional(),
  /** A search for a trigger of the base model, kept in `@out/proxy/trigger.json`, and asked with as the wording `proxyTrigger`. */
  proxy: proxy.nullable().exactOptional(),
  arms: z.record(armName, z.record(z.string(), z.unknown())),
});

/** A complete recipe. */
export type Recipe = z.infer<typeof recipeSchema>;

/** A dataset to train on. */
export type TrainingSourceConfig = z.infer<typeof dataset>;

/** A table in a recipe. */
export type SourceConfig = z.infer<typeof source>;

/** Fails to compile where the schema and the operators' configurations part. */
export type SchemaAgrees = [
  Agrees<Recipe['defend'], DefendConfig>,
  Agrees<NonNullable<Recipe['attack']>, AttackConfig>,
  Agrees<Recipe['evaluate'], EvaluateConfig>,
  Agrees<NonNullable<Recipe['pool']>, PoolConfig>,
  Agrees<NonNullable<Recipe['proxy']>, TriggerConfig>,
];
type Agrees<T extends Config, Config> = T;
