/** @file Everything that the arms of a job share: engine, model, tokenizer, questions. Made once, inside the run's process. */
import { join } from 'node:path';
import {
  checkVocabulary,
  loadChatTemplate,
  loadTokenizer,
  type ChatTemplate,
  type Tokenizer,
} from '../../datasets/index.js';
import type { Engine, HalfTensor, HostTensor, Value } from '../../engine/index.js';
import type { ModelConfig } from '../../engine/models/index.js';
import { readQuestions, type ModelWeights, type Questions } from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import { engineOf, type Running } from './engine-of.js';
import { knownPrompts } from './known-prompts.js';
import { frozenModel, type Beginning } from './starting-model.js';
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

/** A model on an engine, checked against its tokenizer. */
export async function openModel(beginning: Beginning): Promise<Stage> {
  const { directory, config, parameters } = await frozenModel(beginning);
  const tokenizer = await loadTokenizer(directory);
  checkVocabulary(tokenizer, config.vocabularySize, `model ${directory}`);
  const template = await loadChatTemplate(directory, tokenizer);
  return { ...(await weightsOf(config, parameters, beginning)), tokenizer, template, directory };
}

/** The weights of a model alone: they need no tokenizer. */
export async function openWeights(beginning: Beginning): Promise<Weights> {
  const { config, parameters } = await frozenModel(beginning);
  return weightsOf(config, parameters, beginning);
}

/** What a recipe trains, with synthetic tables written first where it asks for them. Paths are absolute. */
export async function openRecipe(recipe: Recipe, out: string): Promise<Stage> {
  const { model, synthetic, seed } = recipe;
  const context = model.kind === 'random' ? Number(model.config['max_position_embeddings'] ?? 0) : 0;
  if (synthetic) await writeSynthetic(join(out, 'synthetic'), seed, synthetic, context);
  return openModel(recipe);
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

async function weightsOf(
  config: ModelConfig,
  parameters: Readonly<Record<string, HostTensor | HalfTensor>>,
  options: Running,
): Promise<Weights> {
  const engine = await engineOf(options);
  return { engine, config, parameters: engine.uploadWeights(parameters), dispose: () => engine.dispose() };
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
