/** @file The model that options name, opened for a command and closed after it. */
import type { Value } from '../engine/index.js';
import { readAdapters } from '../engine/models/index.js';
import type { Model, ModelWeights } from '../operators/index.js';
import { localFolder } from './fetch.js';
import type { ModelOptions } from './options.js';
import { openModel, openWeights, type Stage, type Weights } from './run/stage.js';
import type { Beginning } from './run/starting-model.js';

/** A model on an engine with its adapters, ready to be asked. */
export interface Asked<S extends Weights = Stage> {
  readonly stage: S;
  readonly model: Model;
  readonly weights: ModelWeights;
}

/** The model that the options name, without their adapter. */
export function beginningOf({ model, executor, device, threads, precision }: ModelOptions): Beginning {
  const running = {
    executor,
    threads,
    ...(device !== undefined && { device }),
    ...(precision && { precision }),
  };
  return { name: 'model', seed: 0, ...running, model: { kind: 'directory', path: model } };
}

/** Opens what the options name, and closes it when `use` has settled. */
export async function withOpenModel<T>(options: ModelOptions, use: (asked: Asked) => Promise<T>): Promise<T> {
  return withStage(await openModel(beginningOf(options)), options, use);
}

/** The same for what needs no tokenizer. */
export async function withOpenWeights<T>(
  options: ModelOptions,
  use: (asked: Asked<Weights>) => Promise<T>,
): Promise<T> {
  return withStage(await openWeights(beginningOf(options)), options, use);
}

async function withStage<S extends Weights, T>(
  stage: S,
  options: ModelOptions,
  use: (asked: Asked<S>) => Promise<T>,
): Promise<T> {
  try {
    const { scale, adapters } = await adaptersOf(stage, options.adapter);
    return await use({
      stage,
      model: { config: stage.config, ...(scale !== undefined && { adapterScale: scale }) },
      weights: { parameters: stage.parameters, adapters },
    });
  } finally {
    await stage.dispose();
  }
}

/** The adapters of a folder on an engine; none without a folder. */
export async function adaptersOf(
  stage: Weights,
  directory: string | undefined,
): Promise<{ readonly scale?: number; readonly adapters: Readonly<Record<string, Value>> }> {
  if (directory === undefined) return { adapters: {} };
  const { lora, adapters } = await readAdapters(await localFolder(directory, 'adapter'), stage.config);
  const uploaded = Object.entries(adapters).map(
    ([name, tensor]) => [name, stage.engine.upload(tensor)] as const,
  );
  return { scale: lora.alpha / lora.rank, adapters: Object.fromEntries(uploaded) };
}
