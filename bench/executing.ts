/** @file Where a benchmark's programs run: `--executor` and `--device`, and how a child process is told. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  createExecutor,
  EXECUTORS,
  requireExecutor,
  requirePrecision,
  type Executor,
  type ExecutorName,
} from '../engine/index.js';
import type { Shapes } from './shapes.js';

/** As recipes have them. */
export interface Executing {
  readonly executor: ExecutorName;
  readonly device: number;
}

/** What was measured before there was a choice. */
export const ON_CPU: Executing = { executor: 'onnxruntime', device: 0 };

/** Adds the two options to a subcommand. */
export function addExecuting(command: Command): Command {
  return command
    .addOption(
      new Option('--executor <name>', 'where programs run').choices([...EXECUTORS]).default(ON_CPU.executor),
    )
    .option('--device <n>', 'which CUDA device', device, ON_CPU.device);
}

function device(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

/** The options again, for a child process. */
export function executingArgs({ executor, device }: Executing): string[] {
  return ['--executor', executor, '--device', String(device)];
}

/** The executor. @throws EXECUTOR_UNAVAILABLE, PRECISION_UNSUPPORTED where this machine cannot run it. */
export async function executorFor(
  { threads, activations, precision, weights }: Shapes,
  { executor, device }: Executing,
): Promise<Executor> {
  await requireExecutor(executor, { threads, device });
  for (const needed of new Set([precision, weights]))
    await requirePrecision(executor, needed, { threads, device });
  return createExecutor(executor, { threads, activations, precision, device });
}
