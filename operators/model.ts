/** @file A model as operators pass it around: its configuration, and its weights wherever the engine keeps them. */
import { createHash } from 'node:crypto';
import { modelKey, type ModelConfig, type Value } from '../engine/index.js';

/** What a model is, without its weights. */
export interface Model {
  readonly config: ModelConfig;
  /** alpha / rank of the adapters; 1 where it is not given. */
  readonly adapterScale?: number;
}

/** Weights by Hugging Face name; adapters may be none. */
export type ModelWeights<T = Value> = {
  readonly parameters: Readonly<Record<string, T>>;
  readonly adapters: Readonly<Record<string, T>>;
};

/** A program's name: readable in front, and a digest of the model and of every static choice behind it. */
export function programName(purpose: string, model: Model, choices: unknown): string {
  const key = JSON.stringify([modelKey(model.config), model.adapterScale ?? 1, choices]);
  return `${purpose}:${createHash('sha256').update(key).digest('hex').slice(0, 12)}`;
}
