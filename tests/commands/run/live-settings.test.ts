/** @file Settings that change while a run trains: from a step on, on disk before it, and the same for whoever does it again. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AskedSettings, SettingsJournal } from '../../../commands/run/live-settings.js';
import type { Settings } from '../../../operators/index.js';
import { loadRecipe } from '../../../recipes/index.js';
import { cli, scratch, stopped } from '../../helpers/cli.js';
import { daemon, hasDone, is, until } from '../../helpers/daemon.js';

const { path } = scratch();

describe('a journal of settings', () => {
  it('killed at any step and done again, gives every step what it gave before', async () => {
    const changes = fc.array(
      fc.option(fc.constantFrom<Settings>({ epsilon: 1 }, { epsilon: 2 }, { learningRate: 3 })),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    let cases = 0;
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(8), async (asks, checkpoint) => {
        const directory = path(`journal-${cases++}/arm`); // which the first checkpoint makes
        const asked = new AskedSettings();
        const journal = new SettingsJournal(directory, asked);
        const given: unknown[] = [];
        for (const [at, ask] of asks.entries()) {
          if (ask) asked.ask(ask);
          given.push(await journal.begin(at + 1));
        }
        const again = new SettingsJournal(directory, new AskedSettings());
        for (let step = checkpoint + 1; step <= asks.length; step++)
          expect(await again.begin(step)).toEqual(given[step - 1]);
      }),
      { numRuns: 30 },
    );
  });

  it('lets the later of two changes win, and tells what it took', async () => {
    const directory = path('later');
    await mkdir(directory);
    const told: Settings[] = [];
    const asked = new AskedSettings((settings) => told.push(settings));
    const journal = new SettingsJournal(directory, asked);
    asked.ask({ epsilon: 1 });
    await journal.begin(9);
    asked.ask({ epsilon: 2, evaluateEvery: 0 }); // when it went back to an earlier step
    await journal.begin(5);
    expect([journal.at(4), journal.at(5), journal.at(9)]).toEqual([
      {},
      ...Array.from({ length: 2 }, () => ({ epsilon: 2, evaluateEvery: 0 })),
    ]);
    expect(told).toEqual([{ epsilon: 1 }, { epsilon: 2, evaluateEvery: 0 }]);
  });

  it('gives steps the attack of their own radius', async () => {
    const directory = path('attack');
    await mkdir(directory);
    const asked = new AskedSettings();
    const journal = new SettingsJournal(directory, asked);
    const made: number[] = [];
    const attack = journal.attack(5, (epsilon) => {
      made.push(epsilon);
      return () => Promise.resolve(epsilon as never);
    });
    const at = (step: number): unknown => attack(null as never, null as never, { step, seed: 0 });
    await journal.begin(1);
    expect(await at(1)).toBe(5);
    asked.ask({ epsilon: 7 });
    await journal.begin(2);
    expect([await at(2), await at(2)]).toEqual([7, 7]);
    expect(made).toEqual([5, 7]);
  });
});

describe('a run of the daemon', () => {
  it(
    'takes new settings from a step on; its process killed, it ends with the bits of one that never was',
    { timeout: 300_000 },
    async () => {
      const state = path('state');
      await mkdir(state);
      const running = await daemon(state);
      const set = [
        'steps=40',
        'checkpoint.every=7',
        'arms={"lat":{}}',
        'evaluate.harmful=null',
        'evaluate.benign=null',
      ];
      const run = await running.client.submit({ recipe: await loadRecipe('tiny', { set }) });
      await until(running, run, hasDone(1));
      await running.client.command(run.id, 'pause');
      await until(running, run, is('paused'));
      const args = [
        'change',
        run.id,
        '--state',
        state,
        '--json',
        '--epsilon',
        '0.25',
        '--learning-rate',
        '0.02',
      ];
      const { stdout } = await cli(args);
      expect(JSON.parse(stdout)).toMatchObject({ asked: { epsilon: 0.25, learningRate: 0.02 } });
      await running.client.command(run.id, 'resume');
      const { live } = await until(running, run, ({ asked }) => Object.keys(asked).length === 0);
      if (live?.pid != null) process.kill(live.pid, 'SIGKILL');
      await until(running, run, is('done'));
      await stopped(running);

      const metrics = (await readFile(join(run.directory, 'metrics.ndjson'), 'utf8')).trim().split('\n');
      const of = (
        kind: string,
      ): { readonly step: number; readonly values: Readonly<Record<string, number>> }[] =>
        metrics
          .map((line) => JSON.parse(line) as { kind: string; step: number; values: never })
          .filter((each) => each.kind === kind);
      const [change, ...others] = of('settings');
      expect(others).toEqual([]);
      expect(change).toMatchObject({ values: { epsilon: 0.25, learningRate: 0.02 } });
      const isChanged = ({ step }: { readonly step: number }): boolean => step >= change!.step;
      expect(change!.step).toBeGreaterThan(1);
      for (const each of of('attack')) expect(each.values['epsilon']).toBe(isChanged(each) ? 0.25 : 1);
      for (const each of of('defend'))
        expect(each.values['learningRate']).toBe(isChanged(each) ? 0.02 : 3e-3);

      const twin = path('twin');
      await mkdir(join(twin, 'lat'), { recursive: true });
      for (const file of ['synthetic', 'lat/settings.json'])
        await cp(join(run.directory, file), join(twin, file), { recursive: true });
      const recipe = await readFile(join(run.directory, 'recipe.json'), 'utf8');

      await writeFile(join(twin, 'recipe.json'), recipe.replaceAll(run.directory, twin));
      expect(await cli(['train', '--resume', twin, '--port', '0'])).toMatchObject({ code: 0 });
      const weights = 'lat/adapter/adapter_model.safetensors';
      expect(await readFile(join(twin, weights))).toEqual(await readFile(join(run.directory, weights)));
    },
  );
});
