/** @file Options that several commands share, and how their values are read. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { readAdapters } from '../engine/models/index.js';
import { EXECUTORS, PRECISIONS, type Precision, type Value } from '../engine/index.js';
import type { Model, ModelWeights } from '../operators/index.js';
import { MOST_THREADS, type Recipe } from '../recipes/index.js';
import { localFolder } from './fetch.js';
import { openModel, openWeights, type Stage, type Weights } from './stage.js';
import type { Beginning } from './starting-model.js';

/** Which model, and where it runs. */
export interface ModelOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly executor: Recipe['executor'];
  readonly device?: number;
  readonly threads: number;
  readonly precision?: Precision;
}

export function withModel(command: Command): Command {
  return withExecutor(
    command
      .requiredOption(
        '--model <dir>',
        'model folder (config.json, safetensors, tokenizer.json), .gguf file, hf:ORG/NAME, or RUN/ARM',
      )
      .option('--adapter <dir>', 'adapter folder in PEFT format, or hf:ORG/NAME'),
  );
}

export function withExecutor(command: Command): Command {
  return command
    .addOption(executorOption().default('onnxruntime'))
    .addOption(precisionOption())
    .option('--device <n>', 'which CUDA device (default: the first, 0)', whole(0))
    .option(
      '--threads <n>',
      'threads of the runtime; part of what decides the bits of a result',
      whole(1, MOST_THREADS),
      availableParallelism(),
    );
}

/** What runs the programs; see `latstream doctor`. */
export function executorOption(): Option {
  const names = ['auto', ...EXECUTORS];
  return new Option('--executor <name>', 'what runs the programs (latstream doctor says what can)').choices(
    names,
  );
}

/** How many bits it takes; see `docs/accelerators.md`. */
export function precisionOption(): Option {
  return new Option('--precision <type>', 'what weights are kept and multiplied in').choices(PRECISIONS);
}

/** A whole number of at least `least` and at most `most`. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

/** A whole number, negative ones too. */
export function integer(text: string): number {
  if (/^-?\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

/** A finite number of at least 0. */
export function amount(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('Expected a number of at least 0.');
}

/** `1,2,3` as numbers. */
export function amounts(text: string): number[] {
  return text.split(',').map(amount);
}

/** `1,2,3` as whole numbers. */
export function wholes(text: string): number[] {
  return text.split(',').map(whole(0));
}

/** `a,b` as names. */
export function names(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

/** Adds one more value to a repeatable option. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** The same for text that must not be empty. */
export function collectText(value: string, before: readonly string[]): string[] {
  if (value === '') throw new InvalidArgumentError('Expected some text.');
  return collect(value, before);
}

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
