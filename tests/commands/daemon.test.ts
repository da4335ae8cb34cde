/** @file The daemon as its users run it: killed in the middle, told to go, asked to pause: every run ends with the same bits. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Client, readAddress, type RunView } from '../../daemon/index.js';
import { loadRecipe } from '../../recipes/index.js';
import { cli, scratch, start, type Running } from '../helpers/cli.js';

const { path } = scratch();

const SETTINGS = [
  ...['steps=8', 'checkpoint.every=1', 'arms={"lat":{}}'],
  ...['evaluate.harmful=null', 'evaluate.benign=null'],
];

interface Started extends Running {
  readonly client: Client;
}

async function daemon(state: string, env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const running = start(['daemon', '--state', state, '--port', '0'], env);
  await new Promise<void>((resolve) => {
    let said = '';
    running.child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('"daemon started"')) resolve();
    });
  });
  const { url, token } = (await readAddress(state))!;
  return { ...running, client: new Client(url, token) };
}

/** Asks until a run is as it should be. */
async function until(client: Client, id: string, holds: (run: RunView) => boolean): Promise<RunView> {
  for (;;) {
    const run = (await client.runs()).find((each) => each.id === id)!;
    if (holds(run)) return run;
    expect(run.state).not.toBe('failed');
    await pause(30);
  }
}

const isDone = ({ state }: RunView): boolean => state === 'done';
const hasStepped = (run: RunView): boolean => isDone(run) || (run.live?.progress?.step ?? 0) >= 1;
const adapter = (out: string): Promise<Buffer> =>
  readFile(join(out, 'lat/adapter/adapter_model.safetensors'));

describe('daemon', () => {
  it(
    'loses nothing to kill -9, SIGTERM, pause and resume, and cancels for good',
    { timeout: 300_000 },
    async () => {
      const whole = path('whole');
      const set = SETTINGS.flatMap((setting) => ['--set', setting]);
      expect((await cli(['train', 'tiny', ...set, '--out', whole, '--port', '0'])).code).toBe(0);

      const state = path('state');
      await mkdir(state);
      await writeFile(join(state, 'config.yaml'), 'retrySeconds: 0.05\n');
      let running = await daemon(state);
      const { code, stdout } = await cli(['submit', 'tiny', ...set, '--state', state, '--json']);
      expect(code).toBe(0);
      const first = JSON.parse(stdout) as RunView;
      const recipe = await loadRecipe('tiny', { set: [...SETTINGS, 'steps=400'] });
      const second = await running.client.submit({ recipe: { ...recipe, steps: 8 }, name: 'second' });
      const third = await running.client.submit({ recipe, name: 'third', priority: -1 });

      await until(running.client, first.id, hasStepped);
      running.child.kill('SIGKILL');
      await running.ended;

      // Every process that gets so far kills itself there, once: it goes on behind that checkpoint.
      running = await daemon(state, { LATSTREAM_KILL_AT: 'checkpoint:6:done' });
      expect((await cli(['daemon', '--state', state])).stderr).toContain('DAEMON_BUSY');
      expect(await until(running.client, first.id, isDone)).toMatchObject({ attempts: 0 });
      await until(running.client, second.id, isDone);
      expect(await adapter(first.directory)).toEqual(await adapter(whole));
      expect(await adapter(second.directory)).toEqual(await adapter(whole));

      // The third one would take long: paused, resumed, interrupted by the daemon's own end, and cancelled.
      await until(running.client, third.id, hasStepped);
      expect((await cli(['pause', third.id, '--state', state])).stdout).toContain('stopping, to be paused');
      await until(running.client, third.id, ({ state: now }) => now === 'paused');
      await running.client.command(third.id, 'resume');
      await until(running.client, third.id, hasStepped);
      await writeFile(join(state, 'config.yaml'), 'parallel: 2\nretrySeconds: 0.05\n');
      running.child.kill('SIGHUP');
      running.child.kill('SIGTERM');
      const end = await running.ended;
      expect(end).toMatchObject({ code: 0 });
      expect(end.stderr).toContain('"configuration read","parallel":2');
      expect(end.stderr).toContain('RUN_DIED');

      running = await daemon(state);
      const again = await until(running.client, third.id, hasStepped);
      expect(again.state).toBe('running');
      await running.client.command(third.id, 'cancel');
      await until(running.client, third.id, ({ state: now }) => now === 'cancelled');
      const listed = (await cli(['runs', '--state', state])).stdout;
      expect(listed).toMatch(/third +-1 +cancelled/);
      running.child.kill('SIGTERM');
      expect((await running.ended).code).toBe(0);

      const late = await cli(['runs', '--state', state]);
      expect(late).toMatchObject({ code: 5 });
      expect(late.stderr).toContain('[DAEMON_UNREACHABLE]');
    },
  );
});
