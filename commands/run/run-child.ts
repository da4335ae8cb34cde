/** @file A run's process as the one that serves people sees it: started, told, heard, and its death explained. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NATIVE_MEMORY } from '../../engine/light/index.js';
import { LatstreamError } from '../../foundation/index.js';
import type { Settings } from '../../operators/index.js';
import { isMemoryError, KernelWatch, saysMemory } from './out-of-memory.js';
import {
  revivedError,
  type ChangeMessage,
  type ControlMessage,
  type JobMessage,
  type JobSpec,
  type StartMessage,
} from './messages.js';

/** Characters that are kept of what a run's process prints. */
const LAST_WORDS = 16_384;

/** How a job may end by itself. */
export type JobEnd = Extract<JobMessage, { type: 'done' | 'stopped' | 'costs' }>;

/** A job in a process of its own. */
export interface RunChild {
  readonly pid: number | undefined;
  tell(type: ControlMessage['type']): void;
  change(settings: Settings): void;
  /** Ends it at once; its last checkpoint stays. */
  kill(): void;
  /** @throws what the job threw; RUN_MEMORY where memory ran out, RUN_DIED where its process was killed or crashed otherwise. */
  readonly ended: Promise<JobEnd>;
}

/** Starts a job. @param hear gets its messages but those that end it. */
export function startRun(spec: JobSpec, hear: (message: JobMessage) => void): RunChild {
  const child = fork(fileURLToPath(new URL('./run-process.js', import.meta.url)), {
    env: { ...NATIVE_MEMORY, ...process.env },
    serialization: 'advanced',
    // V8 says only there that its heap is full.
    stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
  });
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    lastWords = (lastWords + chunk.toString()).slice(-LAST_WORDS);
  });
  const kernel = child.pid === undefined ? undefined : new KernelWatch(child.pid);
  let unasked = true;
  let end: JobEnd | undefined;
  let failure: Error | undefined;
  child.on('message', (message: JobMessage) => {
    if (message.type === 'failed') failure = revivedError(message.error);
    else if (message.type === 'done' || message.type === 'stopped' || message.type === 'costs') end = message;
    else hear(message);
  });
  child.on('error', (error) => (failure ??= error));
  // Behind `close` nothing more can be heard, though the process may have ended earlier.
  const ended = new Promise<JobEnd>((resolve, reject) => {
    child.on('close', (code, signal) => {
      const killed = kernel?.end() === true && signal === 'SIGKILL' && unasked;
      const how = signal ?? `exit code ${code}`;
      if (end && !failure) resolve(end);
      else if (killed) reject(noMemory(spec, 'a process that the kernel killed for memory'));
      else if (failure) reject(isMemoryError(failure) ? noMemory(spec, failure.message, failure) : failure);
      else if (saysMemory(lastWords)) reject(noMemory(spec, `${how}: ${saidLast(lastWords)}`));
      else reject(died(spec, how));
    });
  });
  const send = (message: StartMessage | ControlMessage | ChangeMessage): void => {
    if (child.connected) child.send(message);
  };
  send({ type: 'start', spec });
  return {
    pid: child.pid,
    kill: () => {
      unasked = false;
      child.kill('SIGKILL');
    },
    tell: (type) => send({ type }),
    change: (settings) => send({ type: 'change', settings }),
    ended,
  };
}

/** The line that told of it. */
function saidLast(lastWords: string): string {
  return lastWords.split('\n').find(saysMemory)?.trim().slice(0, 300) ?? '';
}

function noMemory({ out, dryRun }: JobSpec, got: string, cause?: unknown): Error {
  const smaller =
    'a smaller data.pairsPerBatch, more defend.microbatches, a shorter data.context, or activations: recompute';
  return new LatstreamError(
    {
      code: 'RUN_MEMORY',
      owner: `run ${out}`,
      expected: 'enough memory',
      got,
      hint: dryRun
        ? `try ${smaller}`
        : `everything up to the last checkpoint is kept: make room and go on by latstream train --resume ${out}, or begin another run with ${smaller}`,
    },
    { cause },
  );
}

function died(spec: JobSpec, how: string): Error {
  return new LatstreamError({
    code: 'RUN_DIED',
    owner: `run ${spec.out}`,
    expected: 'a process that ends by itself',
    got: how,
    hint: spec.dryRun
      ? 'SIGKILL mostly means that memory ran out: try smaller batches, or fewer sites at once'
      : `SIGKILL mostly means that memory ran out; everything up to the last checkpoint is kept: latstream train --resume ${spec.out}`,
  });
}
