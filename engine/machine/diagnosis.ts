/** @file Why an executor runs on a machine or not, and what to do about it: facts and an attempt in, words out. */
import type { ExecutorName } from '../executors/name.js';
import type { Attempt } from './attempt.js';
import { cudaAdvice } from './cuda-advice.js';
import type { Machine } from './machine.js';
import type { SmallStep } from './small-step.js';
import { betterTfjs, tfjsAdvice } from './tfjs-advice.js';
import { told, type Trouble } from './trouble.js';
import { isSoftware, webgpuAdvice } from './webgpu-advice.js';

/** What is said of an executor. */
export interface Diagnosis {
  readonly executor: ExecutorName;
  readonly runs: boolean;
  /** True where a GPU's work is done by the CPU. */
  readonly software: boolean;
  /** True where it computes rightly, and so slowly that nothing is gained. */
  readonly slow: boolean;
  /** What it runs on, or why it does not. */
  readonly because: string;
  /** What to do, the most likely first; of one that runs, what would make it better. */
  readonly advice: readonly string[];
  readonly step?: SmallStep;
}

/** Gradients that differ more from plain JavaScript's, as a share of the largest, are wrong. */
const WRONG = 1e-3;

/** Milliseconds of a small step, which takes a CPU two: more is of no use, whether the driver or a busy machine is slow. */
const SLOW = 1000;

/** What an attempt means on a machine. */
export function diagnose(executor: ExecutorName, machine: Machine, attempt: Attempt): Diagnosis {
  const software = executor === 'webgpu' && isSoftware(machine);
  if (attempt.end === 'ran' && attempt.error <= WRONG) {
    const { end: _, ...step } = attempt;
    const slow = step.milliseconds > SLOW;
    const how = software
      ? ', by a driver in software: correct, and slow'
      : slow
        ? ', correctly, and slowly'
        : '';
    const advice = [...(slow ? ofASlowOne(executor) : []), ...ofOneThatRuns(executor, machine, step)];
    return { executor, runs: true, software, slow, because: `${step.name}${how}`, advice, step };
  }
  const { because, advice } = trouble(executor, machine, attempt);
  return { executor, runs: false, software, slow: false, because, advice };
}

function ofASlowOne(executor: ExecutorName): readonly string[] {
  const quiet = 'where other programs keep the machine busy, ask again when it is quiet';
  return executor === 'cuda' || executor === 'webgpu'
    ? [`${quiet}; if it is as slow then, use --executor onnxruntime`]
    : [quiet];
}

function trouble(executor: ExecutorName, machine: Machine, attempt: Attempt): Trouble {
  if (executor === 'cuda') return cudaAdvice(machine, attempt);
  if (executor === 'webgpu') return webgpuAdvice(machine, attempt);
  const because = told(attempt);
  if (executor === 'tfjs') return { because, advice: tfjsAdvice(machine) };
  if (!machine.glibc)
    return {
      because: 'onnxruntime-node is built for glibc, which this Linux does not have (Alpine, musl)',
      advice: ['use an image with glibc, such as Debian', '--executor tfjs runs anywhere, slowly'],
    };
  const place = `${machine.platform} ${machine.arch}`;
  return { because, advice: [`npm ci --force (onnxruntime-node ${machine.runtime.version} for ${place})`] };
}

function ofOneThatRuns(executor: ExecutorName, machine: Machine, { name }: SmallStep): readonly string[] {
  if (executor === 'cuda' && !machine.packages['koffi'])
    return ['npm install koffi beside latstream: weights then stay on the card instead of crossing the bus'];
  return executor === 'tfjs' && name === 'tfjs-cpu' ? betterTfjs(machine) : [];
}
