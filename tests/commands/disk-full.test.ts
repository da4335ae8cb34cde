/** @file A disk that is full: the run waits with a reason, its last checkpoint stays, and with room it ends with the same bits. */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../../recipes/index.js';
import { tornIn } from '../crash/evidence.js';
import { cli, scratch, set, stopped } from '../helpers/cli.js';
import { daemon, hasDone, is, until } from '../helpers/daemon.js';

const { path } = scratch();
const SETTINGS = [
  ...['steps=60', 'checkpoint.every=1', 'arms={"lat":{}}'],
  ...['evaluate.harmful=null', 'evaluate.benign=null'],
];

/** Privileged users of Linux can. */
const mountable = spawnSync('sh', [
  '-c',
  'd=$(mktemp -d) && mount -t tmpfs none "$d" && umount "$d" && rmdir "$d"',
]);

describe('a full disk', () => {
  it.skipIf(mountable.status !== 0)(
    'pauses a run with the reason, and costs nothing once there is room',
    { timeout: 300_000 },
    async () => {
      const [state, runs, whole] = [path('state'), path('runs'), path('whole')];
      await Promise.all([mkdir(state), mkdir(runs)]);
      const given = set(...SETTINGS);
      expect((await cli(['train', 'tiny', ...given, '--out', whole, '--port', '0'])).code).toBe(0);
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', runs]).status).toBe(0);
      try {
        const running = await daemon(state, { args: ['--runs', runs] });
        const run = await running.client.submit({ recipe: await loadRecipe('tiny', { set: SETTINGS }) });
        await until(running, run, hasDone(1));
        await running.client.command(run.id, 'pause');
        await until(running, run, is('paused'));
        await expect(writeFile(join(runs, 'ballast'), Buffer.alloc(2 ** 24))).rejects.toThrow('ENOSPC');

        await running.client.command(run.id, 'resume');
        const { reason } = await until(running, run, is('paused'));
        expect(reason).toMatch(/^the disk is full: make room, then resume\. .*ENOSPC/);
        expect(await tornIn(run.directory)).toEqual([]);

        await rm(join(runs, 'ballast'));
        await running.client.command(run.id, 'resume');
        await until(running, run, is('done'));
        const weights = 'lat/adapter/adapter_model.safetensors';
        expect(await readFile(join(run.directory, weights))).toEqual(await readFile(join(whole, weights)));
        expect((await stopped(running)).code).toBe(0);
      } finally {
        spawnSync('umount', ['-l', runs]);
      }
    },
  );
});
