/** @file `latstream doctor`: what this machine can run, how fast, why not the rest, and what to do about it. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import {
  diagnoses,
  EXECUTORS,
  preferred,
  thisMachine,
  type Diagnosis,
  type ExecutorName,
  type Machine,
} from '../engine/index.js';
import { MOST_THREADS } from '../recipes/index.js';
import { whole } from './options.js';
import { packageVersion } from './run/places.js';
import { progressBar } from './progress.js';

interface DoctorOptions {
  readonly threads: number;
  readonly device: number;
  readonly json?: boolean;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say what this machine can run and how fast, why not the rest, and what to do about it')
    .option('--threads <n>', 'threads of the runtime', whole(1, MOST_THREADS), availableParallelism())
    .option('--device <n>', 'which CUDA device', whole(0), 0)
    .option('--json', 'print {"machine", "executors", "auto"}')
    .action(async (options: DoctorOptions) => {
      const machine = thisMachine();
      const found = await tried(machine, options);
      const auto = preferred(found);
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ latstream: packageVersion(), machine, executors: found, auto })}\n`
          : doctorText(machine, found, auto),
      );
    });
}

async function tried(machine: Machine, { threads, device }: DoctorOptions): Promise<Diagnosis[]> {
  const bar = progressBar('trying', EXECUTORS.length);
  try {
    return await diagnoses(EXECUTORS, { threads, device }, { onEach: () => bar.step(), machine });
  } finally {
    bar.stop();
  }
}

/** What people read. */
export function doctorText(
  { platform, arch, node, cores, memory, runtime }: Machine,
  found: readonly Diagnosis[],
  auto: ExecutorName,
): string {
  const gigabytes = (memory / 2 ** 30).toFixed(0);
  const about =
    `${platform} ${arch}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${gigabytes} GB; ` +
    `node ${node}, onnxruntime-node ${runtime.version}`;
  const width = Math.max(...found.map(({ executor }) => executor.length));
  const lines = found.flatMap((each) => [
    `  ${each.executor.padEnd(width)}  ${verdict(each)}`,
    ...each.advice.map((advice) => `  ${' '.repeat(width)}    → ${advice}`),
  ]);
  return [about, '', ...lines, '', `--executor auto means ${auto} here`, ''].join('\n');
}

function verdict({ runs, because, step }: Diagnosis): string {
  if (!runs || !step) return `cannot run: ${because}`;
  const figures = `${step.milliseconds.toFixed(1)} ms a small step (the first ${step.firstMilliseconds.toFixed(0)} ms)`;
  const exact = `within ${step.error.toExponential(0)} of plain JavaScript`;
  const bits = step.precisions ? `; computes in ${step.precisions.join(', ')}` : '';
  return `runs on ${because}: ${figures}, ${exact}${bits}`;
}
