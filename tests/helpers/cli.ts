/** @file The built command line as users run it: a child process. Needs `npm run build`, which `npm test` does first. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

export const CLI = join(process.cwd(), 'dist', 'cli.js');

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

export function cli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return start(args, env).ended;
}

/** Asks a command to end, with SIGTERM, and waits until it has. */
export function stopped({ child, ended }: Running): Promise<Ended> {
  child.kill('SIGTERM');
  return ended;
}

/** Settings of a recipe as options. */
export function set(...settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ['--set', setting]);
}

/** A temporary directory for the tests of a file; gone afterwards. */
export function scratch(): { readonly path: (name: string) => string } {
  let directory = '';
  beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'latstream-test-'))));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return { path: (name) => join(directory, name) };
}
