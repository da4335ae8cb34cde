/** @file The executor that `auto` means, and the error of one that cannot run here. */
import { complain } from '../../foundation/index.js';
import { tryProvider } from '../executors/session.js';
import type { ExecutorName } from '../executors/name.js';
import { attempt as attemptHere, type Attempt, type AttemptRequest } from './attempt.js';
import { diagnose, type Diagnosis } from './diagnosis.js';
import { thisMachine, type Machine } from './machine.js';

/** How a machine is looked at and tried; if not given, this one is. */
export interface Probes {
  readonly machine?: Machine;
  readonly attempt?: (request: AttemptRequest) => Promise<Attempt>;
  /** Called when an executor has been tried. */
  readonly onEach?: () => void;
}

/** Best first. tfjs is for those who ask for it, and a GPU in software for nobody. */
const PREFERRED = ['cuda', 'webgpu'] as const;

const ABSENT: Attempt = { end: 'failed', message: 'not installed' };

/** What can be said of each executor, in their order. */
export async function diagnoses(
  executors: readonly ExecutorName[],
  options: Omit<AttemptRequest, 'executor'>,
  { machine = thisMachine(), attempt = attemptHere, onEach }: Probes = {},
): Promise<Diagnosis[]> {
  const found: Diagnosis[] = [];
  for (const executor of executors) {
    const isAbsent = executor === 'cuda' && !machine.cudaProvider;
    const tried = isAbsent ? ABSENT : await attempt({ executor, ...options });
    found.push(diagnose(executor, machine, tried));
    onEach?.();
  }
  return found;
}

/** The best of what runs: a GPU where one computes rightly and not slowly, else the CPU. */
export function preferred(found: readonly Diagnosis[]): ExecutorName {
  const useful = found.filter(({ runs, software, slow }) => runs && !software && !slow);
  const running = useful.map(({ executor }) => executor);
  return PREFERRED.find((executor) => running.includes(executor)) ?? 'onnxruntime';
}

/** The executor that a name means here. */
export async function resolveExecutor(
  name: ExecutorName | 'auto',
  options: Omit<AttemptRequest, 'executor'>,
  probes: Probes = {},
): Promise<ExecutorName> {
  return name === 'auto' ? preferred(await diagnoses(PREFERRED, options, probes)) : name;
}

/** @throws EXECUTOR_UNAVAILABLE where the provider of an executor cannot be opened here: why, and what to do. */
export async function requireExecutor(
  name: ExecutorName,
  options: Omit<AttemptRequest, 'executor'>,
): Promise<void> {
  if (name !== 'webgpu' && name !== 'cuda') return;
  try {
    await tryProvider({ ...options, provider: name });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    unavailable(diagnose(name, thisMachine(), { end: 'failed', message }), error);
  }
}

/** @throws EXECUTOR_UNAVAILABLE */
export function unavailable({ executor, because, advice }: Diagnosis, cause?: unknown): never {
  return complain(
    {
      code: 'EXECUTOR_UNAVAILABLE',
      owner: `executor ${executor}`,
      expected: 'a machine that can run it',
      got: because,
      hint: `${advice[0] ?? 'choose another'}; latstream doctor says more`,
    },
    { cause },
  );
}
