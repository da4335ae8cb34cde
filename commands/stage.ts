/** @file Everything that the arms of a job share: engine, model, tokenizer, questions. Made once, inside the run's process. */
import { join } from 'node:path';
import {
  checkVocabulary,
  loadChatTemplate,
  loadTokenizer,
  type ChatTemplate,
  type Tokenizer,
} from '../datasets/index.js';
import {
  createEngine,
  onnxruntimeExecutor,
  tfjsExecutor,
  type Engine,
  type HostTensor,
  type Value,
} from '../engine/index.js';
import { initialParameters, loadModel, parseModelConfig, type ModelConfig } from '../engine/models/index.js';
import { programRun, readQuestions, type ModelWeights, type Questions } from '../operators/index.js';
import type { Recipe } from '../recipes/index.js';
import { knownPrompts } from './known-prompts.js';
import { endIfOrphaned } from './orphan.js';
import { writeSynthetic } from './synthetic.js';

/** A model on an engine. */
export interface Weights {
  readonly engine: Engine;
  readonly config: ModelConfig;
  readonly parameters: Readonly<Record<string, Value>>;
  readonly dispose: () => Promise<void>;
}

/** A model with its words, on an engine. */
export interface Stage extends Weights {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  /** The folder that holds the tokenizer, and its model where there is one. */
  readonly directory: string;
}

/** What of a recipe says how programs run. */
export type Running = Pick<Recipe, 'executor' | 'threads' | 'activations'>;

/** An engine on the executor that a recipe or an option names. */
export function engineOf(options: Running): Engine {
  const executor = options.executor === 'tfjs' ? tfjsExecutor() : onnxruntimeExecutor(options);
  return createEngine(executor, {
    beforeRun: () => {
      endIfOrphaned();
      programRun();
    },
  });
}

/** The model folder on an engine, checked against its tokenizer. */
export async function openModel(directory: string, options: Running): Promise<Stage> {
  const { config, parameters } = await loadModel(directory);
  return stageOf(config, parameters, directory, options);
}

/** The weights of a model folder alone: it needs no tokenizer. */
export async function openWeights(directory: string, options: Running): Promise<Weights> {
  const { config, parameters } = await loadModel(directory);
  return weightsOf(config, parameters, options);
}

/** What a recipe trains, with synthetic tables written first where it asks for them. Paths are absolute. */
export async function openRecipe(recipe: Recipe, out: string): Promise<Stage> {
  const { model, synthetic, seed } = recipe;
  const context = model.kind === 'random' ? Number(model.config['max_position_embeddings'] ?? 0) : 0;
  if (synthetic) await writeSynthetic(join(out, 'synthetic'), seed, synthetic, context);
  if (model.kind === 'directory') return openModel(model.path, recipe);
  const tokenizer = await loadTokenizer(model.tokenizer);
  const special = {
    bos_token_id: tokenizer.bos?.id,
    eos_token_id: tokenizer.eos?.id,
    pad_token_id: tokenizer.pad?.id,
  };
  const config = parseModelConfig(
    { vocab_size: tokenizer.size, ...special, ...model.config },
    `recipe ${recipe.name}, model.config`,
  );
  return stageOf(config, initialParameters(config, seed), model.tokenizer, recipe);
}

/** The tables of an evaluation, read and tokenized, without rows that training has. */
export async function questionsOf(recipe: Recipe, stage: Stage): Promise<Questions> {
  const { harmful, benign, probes = {} } = recipe.evaluate;
  const isAsked = harmful !== null || benign !== null || Object.keys(probes).length > 0;
  return readQuestions(recipe.evaluate, stage.template, stage.config.contextLength, {
    system: recipe.data.system,
    known: isAsked ? await knownPrompts(recipe) : [],
  });
}

/** The base model's weights, without adapters. */
export function baseWeights(stage: Stage): ModelWeights {
  return { parameters: stage.parameters, adapters: {} };
}

async function stageOf(
  config: ModelConfig,
  parameters: Readonly<Record<string, HostTensor>>,
  directory: string,
  options: Running,
): Promise<Stage> {
  const tokenizer = await loadTokenizer(directory);
  checkVocabulary(tokenizer, config.vocabularySize, `model ${directory}`);
  const template = await loadChatTemplate(directory, tokenizer);
  return { ...weightsOf(config, parameters, options), tokenizer, template, directory };
}

function weightsOf(
  config: ModelConfig,
  parameters: Readonly<Record<string, HostTensor>>,
  options: Running,
): Weights {
  const engine = engineOf(options);
  const uploaded = Object.entries(parameters).map(([name, tensor]) => [name, engine.upload(tensor)] as const);
  return { engine, config, parameters: Object.fromEntries(uploaded), dispose: () => engine.dispose() };
}

/** Values of a stage as arrays. */
export async function downloaded(
  { engine }: Stage,
  values: Readonly<Record<string, Value>>,
): Promise<Record<string, HostTensor>> {
  const tensors: Record<string, HostTensor> = {};
  for (const [name, value] of Object.entries(values)) tensors[name] = await engine.download(value);
  return tensors;
}
