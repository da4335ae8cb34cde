/** @file The built daemon as a child process, and a client of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { Client, readAddress, type RunView } from '../../daemon/index.js';
import { start, type Running } from './cli.js';

export interface Daemon extends Running {
  readonly client: Client;
}

/** Started when it says so. @throws with what it said where it ends instead */
export async function daemon(
  state: string,
  {
    args = [],
    env = {},
  }: { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Daemon> {
  const running = start(['daemon', '--state', state, '--port', '0', ...args], env);
  await new Promise<void>((resolve, reject) => {
    let said = '';
    running.child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('"daemon started"')) resolve();
    });
    void running.ended.then(({ stderr }) => reject(new Error(`the daemon ended: ${stderr}`)));
  });
  const { url, token } = (await readAddress(state))!;
  return { ...running, client: new Client(url, token) };
}

type RunState = RunView['state'];

const OVER: readonly RunState[] = ['done', 'failed', 'stopped', 'cancelled'];

/** Asks until a run is as it should be; one that is over will not be. */
export async function until(
  { client }: Pick<Daemon, 'client'>,
  { id }: Pick<RunView, 'id'>,
  holds: (run: RunView) => boolean,
): Promise<RunView> {
  for (;;) {
    const run = (await client.runs()).find((each) => each.id === id)!;
    if (holds(run)) return run;
    expect(OVER, JSON.stringify(run)).not.toContain(run.state);
    await pause(30);
  }
}

export const is =
  (wanted: RunState) =>
  ({ state }: RunView): boolean =>
    state === wanted;

export const hasDone =
  (steps: number) =>
  (run: RunView): boolean =>
    (run.live?.progress?.step ?? 0) >= steps;
