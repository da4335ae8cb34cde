/** @file Whether an executor runs here, tried in a process of its own: a broken driver ends that one, not ours. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ExecutorName } from '../executors/name.js';
import { NATIVE_MEMORY } from '../executors/native-memory.js';
import type { SmallStep } from './small-step.js';

/** How it went. `said` is the end of what the process wrote to stderr. */
export type Attempt =
  | ({ readonly end: 'ran' } & SmallStep)
  | { readonly end: 'failed'; readonly message: string }
  | { readonly end: 'died'; readonly how: string; readonly said: string }
  /** Silent for so long, while it did this. */
  | { readonly end: 'late'; readonly seconds: number; readonly doing: string };

/** What the process says: what it begins, and at last how it went. */
export type Word = { readonly doing: string } | Attempt;

/** What the process is told. */
export interface AttemptRequest {
  readonly executor: ExecutorName;
  readonly threads: number;
  readonly device: number;
}

/** Of silence: a GPU's driver may compile for seconds, and a busy machine takes its time; one that hangs must not hang us. */
const PATIENCE_SECONDS = 60;
const LONGEST_SAID = 2000;

/** Runs a small training step on an executor. @param variables of the process, besides ours. */
export function attempt(
  request: AttemptRequest,
  variables: Readonly<Record<string, string>> = {},
): Promise<Attempt> {
  const child = fork(fileURLToPath(new URL('./attempt-process.js', import.meta.url)), {
    env: { ...NATIVE_MEMORY, ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.send(request);
  return outcome(child);
}

/** How the attempt of a process goes: slowly is well, as long as it says what it begins. It is killed where it falls silent. */
export function outcome(child: Pick<ChildProcess, 'on' | 'kill' | 'stderr'>): Promise<Attempt> {
  let said = '';
  let doing = 'starting';
  let heard: Attempt | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-LONGEST_SAID)));
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      heard ??= { end: 'late', seconds: PATIENCE_SECONDS, doing };
      child.kill('SIGKILL');
    }, PATIENCE_SECONDS * 1000);
    child.on('message', (message) => {
      const word = message as Word;
      timer.refresh();
      if ('end' in word) heard ??= word;
      else doing = word.doing;
    });
    child.on('error', (error) => (heard ??= { end: 'failed', message: error.message }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(heard ?? { end: 'died', how: signal ?? `exit code ${code}`, said });
    });
  });
}
