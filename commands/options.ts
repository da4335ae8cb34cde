/** @file Options that several commands share, and how their values are read. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Precision } from '../engine/index.js';
import { EXECUTORS, PRECISIONS } from '../engine/light/index.js';
import { MOST_THREADS, type Recipe } from '../recipes/index.js';

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
