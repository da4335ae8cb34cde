/** @file Three daemons as their users run them, of which one is killed and one sleeps past its lease: every run ends once, with the bits of a run that nothing happened to. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '../../daemon/index.js';
import { KEYS } from '../../fleet/keys.js';
import { loadRecipe } from '../../recipes/index.js';
import { cli, scratch } from '../helpers/cli.js';
import { daemon, type Daemon } from '../helpers/daemon.js';
import { RedisServer, withoutRedis } from '../helpers/redis.js';

const SETTINGS = [
  ...['steps=24', 'checkpoint.every=2', 'arms={"lat":{}}'],
  ...['evaluate.harmful=null', 'evaluate.benign=null'],
];
const SEEDS = [1, 2];
const { path } = scratch();
let server: RedisServer;
const daemons: Daemon[] = [];

beforeAll(async () => {
  if (!withoutRedis) server = await RedisServer.start();
});
afterAll(async () => {
  for (const { child, ended } of daemons) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  }
  if (!withoutRedis) await server.remove();
});

async function worker(name: string): Promise<Daemon> {
  const state = path(name);
  await mkdir(state);
  await writeFile(join(state, 'config.yaml'), 'lockSeconds: 4\nretrySeconds: 0.1\n');
  const args = ['--queue', server.url, '--store', `file://${path('store')}`];
  const running = await daemon(state, { args });
  daemons.push(running);
  return running;
}

/** Asks one daemon until something can be said of its queue. */
async function eventually<T>({ client }: Daemon, look: (runs: RunView[]) => T | undefined): Promise<T> {
  for (;;) {
    const found = look(await client.runs());
    if (found !== undefined) return found;
    await pause(50);
  }
}

/** A run that this daemon has, well behind its first checkpoint and before its end. */
const midway = (runs: RunView[]): RunView | undefined =>
  runs.find(({ live }) => live?.pid && live.progress && live.progress.step >= 5 && live.progress.step <= 16);

/** What it has learned, by file. */
async function digests(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const arm of ['lat']) {
    const checkpoints = (await readdir(join(directory, arm, 'checkpoints'))).sort();
    const states = checkpoints.map((name) => join('checkpoints', name, 'state.safetensors'));
    for (const name of ['adapter/adapter_model.safetensors', ...states])
      found[`${arm}/${name}`] = createHash('sha256')
        .update(await readFile(join(directory, arm, name)))
        .digest('hex');
  }
  return found;
}

describe.skipIf(withoutRedis)('a fleet', () => {
  it('ends every run once, as if nothing had happened', { timeout: 600_000 }, async () => {
    const [hub, killed, sleeper] = await Promise.all(['hub', 'killed', 'sleeper'].map(worker));
    if (!hub || !killed || !sleeper) throw new Error('no daemons');
    const ids: string[] = [];
    for (let cell = 0; cell < 6; cell++) {
      const recipe = await loadRecipe('tiny', { seed: SEEDS[cell % 2], set: SETTINGS });
      ids.push((await hub.client.submit({ recipe, name: `cell-${cell}` })).id);
    }

    const doomed = await eventually(killed, midway);
    const killedAt = Date.now();
    killed.child.kill('SIGKILL');
    const asleep = await eventually(sleeper, midway);
    sleeper.child.kill('SIGSTOP');
    const of = (id: string) => (runs: RunView[]) => runs.find((run) => run.id === id);
    await eventually(hub, (runs) => {
      const run = of(asleep.id)(runs);
      return run && run.directory !== asleep.directory ? run : undefined;
    });
    sleeper.child.kill('SIGCONT');
    await eventually(hub, (runs) => (runs.every(({ state }) => state === 'done') ? true : undefined));

    const runs = await hub.client.runs();
    expect(runs.map(({ id }) => id)).toEqual(ids);
    const redis = new Redis(server.url);
    const [completions, refused] = await Promise.all(
      [KEYS.completions, KEYS.refused].map((stream) => redis.xrange(stream, '-', '+')),
    );
    redis.disconnect();
    // Each finished exactly once, as far as Redis accepted it.
    expect((completions ?? []).map(([, [, id]]) => id).sort()).toEqual([...ids].sort());
    // The sleeper's writes came too late: Redis refused them, and it says so.
    expect((refused ?? []).map(([, fields]) => [fields[1], fields[5]])).toContainEqual([asleep.id, '1']);

    const own = runs.find(({ id }) => id === doomed.id)!;
    expect(own.directory).not.toBe(doomed.directory);
    const metrics = await readFile(join(own.directory, 'metrics.ndjson'), 'utf8');
    const times = metrics
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { time: number }).time);
    expect(Math.min(...times), 'it went on from its checkpoint').toBeLessThan(killedAt);

    for (const seed of SEEDS) {
      const out = path(`whole-${seed}`);
      const set = SETTINGS.flatMap((setting) => ['--set', setting]);
      const whole = await cli(['train', 'tiny', '--seed', String(seed), ...set, '--out', out, '--port', '0']);
      expect(whole.code, whole.stderr).toBe(0);
      const wanted = await digests(out);
      for (const run of runs.filter((_, cell) => SEEDS[cell % 2] === seed))
        expect(await digests(run.directory), run.name).toEqual(wanted);
    }

    sleeper.child.kill('SIGTERM');
    const { code, stderr } = await sleeper.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('run lost: its process is killed');
  });
});
