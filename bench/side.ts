/** @file A side of a comparison as a child process that times one step when asked. Speaks the lines of `serve.ts`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NATIVE_MEMORY } from '../engine/index.js';
import { complain } from '../foundation/index.js';
import { executingArgs, ON_CPU, type Executing } from './executing.js';
import type { Ready, Timed } from './serve.js';

/** A process that holds a warm workload. */
export interface Side {
  readonly ready: Ready;
  time(): Promise<Timed>;
  close(): Promise<void>;
}

/**
 * Starts a side and waits until it is warm.
 * @throws BENCH_SIDE where it ends or says something else before.
 */
export async function startSide(
  name: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Side> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const complaints: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const failed = new Promise<Error>((resolve) => child.once('error', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const line = await Promise.race([lines.next(), failed]);
    if (line instanceof Error || line.done === true)
      return ended(name, line instanceof Error ? line.message : complaints.join(''));
    return JSON.parse(line.value);
  };
  const ready = (await next()) as Ready;
  return {
    ready,
    time: () => {
      child.stdin.write('\n');
      return next() as Promise<Timed>;
    },
    close: () => closed(child),
  };
}

/** Starts latstream's side, in a process as `latstream train` gives to a run. @param config file of the shapes. */
export function startOurSide(config: string, executing: Executing = ON_CPU): Promise<Side> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  return startSide(
    'latstream',
    process.execPath,
    [main, 'serve', config, ...executingArgs(executing)],
    NATIVE_MEMORY,
  );
}

async function closed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await end;
}

function ended(name: string, complaints: string): never {
  return complain({
    code: 'BENCH_SIDE',
    owner: `bench ${name}`,
    expected: 'a line of JSON',
    got: complaints.trim().split('\n').at(-1) ?? 'the end',
    hint: 'run its command by hand to see why',
  });
}
