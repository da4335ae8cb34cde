/** @file The daemon as its users run it: a run's process dies, it is told to go, asked to pause; tests/crash kills the daemon itself. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunView } from '../../daemon/index.js';
import { loadRecipe } from '../../recipes/index.js';
import { cli, scratch, set, stopped } from '../helpers/cli.js';
import { daemon, hasDone, is, until } from '../helpers/daemon.js';

const { path } = scratch();

const SETTINGS = [
  ...['steps=8', 'checkpoint.every=1', 'arms={"lat":{}}'],
  ...['evaluate.harmful=null', 'evaluate.benign=null'],
];

/** The step behind whose checkpoint processes are killed. */
const KILLED = 6;

const adapter = (out: string): Promise<Buffer> =>
  readFile(join(out, 'lat/adapter/adapter_model.safetensors'));

describe('daemon', () => {
  it(
    'loses nothing to a dead process, SIGTERM, pause and resume, and cancels for good',
    { timeout: 300_000 },
    async () => {
      const whole = path('whole');
      const given = set(...SETTINGS);
      expect((await cli(['train', 'tiny', ...given, '--out', whole, '--port', '0'])).code).toBe(0);

      const state = path('state');
      await mkdir(state);
      await writeFile(join(state, 'config.yaml'), 'retrySeconds: 0.05\n');
      // Every process that gets so far kills itself there, once: it goes on behind that checkpoint.
      let running = await daemon(state, { env: { LATSTREAM_KILL_AT: `checkpoint:${KILLED}:done` } });
      const { code, stdout } = await cli(['submit', 'tiny', ...given, '--state', state, '--json']);
      expect(code).toBe(0);
      const first = JSON.parse(stdout) as RunView;
      const recipe = await loadRecipe('tiny', { set: [...SETTINGS, 'steps=1000000'] });
      const endless = await running.client.submit({ recipe, name: 'endless', priority: -1 });

      expect((await cli(['daemon', '--state', state])).stderr).toContain('DAEMON_BUSY');
      expect(await until(running, first, is('done'))).toMatchObject({ attempts: 0 });
      expect(await adapter(first.directory)).toEqual(await adapter(whole));

      // The endless one: paused, resumed, interrupted by the daemon's own end, and cancelled.
      await until(running, endless, hasDone(KILLED + 1));
      expect((await cli(['pause', endless.id, '--state', state])).stdout).toContain('stopping, to be paused');
      await until(running, endless, is('paused'));
      await running.client.command(endless.id, 'resume');
      await until(running, endless, hasDone(KILLED + 2));
      await writeFile(join(state, 'config.yaml'), 'parallel: 2\nretrySeconds: 0.05\n');
      running.child.kill('SIGHUP');
      const end = await stopped(running);
      expect(end).toMatchObject({ code: 0 });
      expect(end.stderr).toContain('"configuration read","parallel":2');
      expect(end.stderr).toContain('RUN_DIED');

      running = await daemon(state);
      await until(running, endless, hasDone(KILLED + 3));
      await running.client.command(endless.id, 'cancel');
      const { reason } = await until(running, endless, is('cancelled'));
      expect(reason).toBe('its process was killed, as asked');
      const listed = (await cli(['runs', '--state', state])).stdout;
      expect(listed).toMatch(/endless +-1 +cancelled/);
      expect((await stopped(running)).code).toBe(0);

      const late = await cli(['runs', '--state', state]);
      expect(late).toMatchObject({ code: 5 });
      expect(late.stderr).toContain('[DAEMON_UNREACHABLE]');
    },
  );
});
