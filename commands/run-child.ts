/** @file A run's process as the one that serves people sees it: started, told, heard, and its death explained. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NATIVE_MEMORY } from '../engine/index.js';
import { LatstreamError } from '../foundation/index.js';
import type { Settings } from '../operators/index.js';
import {
  revivedError,
  type ChangeMessage,
  type ControlMessage,
  type JobMessage,
  type JobSpec,
  type StartMessage,
} from './messages.js';

/** How a job may end by itself. */
export type JobEnd = Extract<JobMessage, { type: 'done' | 'stopped' | 'costs' }>;

/** A job in a process of its own. */
export interface RunChild {
  readonly pid: number | undefined;
  tell(type: ControlMessage['type']): void;
  change(settings: Settings): void;
  /** Ends it at once; its last checkpoint stays. */
  kill(): void;
  /** @throws what the job threw; RUN_DIED where its process was killed or crashed. */
  readonly ended: Promise<JobEnd>;
}

/** Starts a job. @param hear gets its messages but those that end it. */
export function startRun(spec: JobSpec, hear: (message: JobMessage) => void): RunChild {
  const child = fork(fileURLToPath(new URL('./run-process.js', import.meta.url)), {
    env: { ...NATIVE_MEMORY, ...process.env },
    serialization: 'advanced',
  });
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
      if (failure || !end) reject(failure ?? died(spec, signal ?? `exit code ${code}`));
      else resolve(end);
    });
  });
  const send = (message: StartMessage | ControlMessage | ChangeMessage): void => {
    if (child.connected) child.send(message);
  };
  send({ type: 'start', spec });
  return {
    pid: child.pid,
    kill: () => void child.kill('SIGKILL'),
    tell: (type) => send({ type }),
    change: (settings) => send({ type: 'change', settings }),
    ended,
  };
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
