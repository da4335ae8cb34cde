/** @file Watching as programs do, without a terminal: lines of a training and of a daemon's run, and exit codes that are the run's. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../../recipes/index.js';
import { cli, scratch, set, start, stopped, type Running } from '../helpers/cli.js';
import { daemon } from '../helpers/daemon.js';

const { path } = scratch();
const SHORT = ['arms={"lat":{}}', 'evaluate.harmful=null', 'evaluate.benign=null'];
const short = (...settings: readonly string[]): string[] => set(...SHORT, ...settings);

/** What a command says until it says that. */
async function said({ child }: Running, stream: 'stdout' | 'stderr', what: RegExp): Promise<string> {
  for (let text = ''; ;) {
    text += String((await once(child[stream]!, 'data'))[0]);
    const found = what.exec(text);
    if (found) return found[1] ?? found[0];
  }
}

const objects = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('watch', () => {
  it(
    'tells a training in lines, its record afterwards, and ends as it did',
    { timeout: 120_000 },
    async () => {
      const out = path('run');
      const training = start(['train', 'tiny', ...short('steps=100000'), '--out', out, '--port', '0']);
      const url = await said(training, 'stderr', /live page (\S+)/);
      const watching = start(['watch', url, '--json']);
      await said(watching, 'stdout', /"kind":"progress","values":\{"step":3/);
      // Somebody who leaves leaves the run alone.
      const other = start(['watch', url.replace('http://', '')]);
      expect(await said(other, 'stdout', /tiny\/lat 3 attack loss=\S+/)).toContain('loss');
      other.child.kill('SIGINT');
      expect(await other.ended).toMatchObject({ code: 130, stderr: '' });
      expect((await stopped(training)).code).toBe(130);
      const { code, stdout, stderr } = await watching.ended;
      expect({ code, stderr }).toEqual({
        code: 130,
        stderr: 'tiny was stopped: stopped, everything saved\n',
      });
      const events = objects(stdout);
      expect(events[0]).toMatchObject({ type: 'run', run: 'tiny' });
      const metrics = events.filter(({ type }) => type === 'metric');
      expect(metrics.map(({ sequence }) => sequence)).toEqual(metrics.map((_, at) => at));
      expect(events.at(-1)).toMatchObject({ type: 'state', state: 'done' });

      const record = await cli(['watch', out, '--json']);
      expect(record.code).toBe(130);
      expect(objects(record.stdout).filter(({ type }) => type === 'metric')).toEqual(metrics);
    },
  );

  it(
    'follows a run of a daemon to its end, and all of them until it is told to leave',
    { timeout: 120_000 },
    async () => {
      const state = path('state');
      const running = await daemon(state);
      const recipe = await loadRecipe('tiny', { set: [...SHORT, 'steps=3'] });
      const bad = await loadRecipe('tiny', {
        set: [...SHORT, 'steps=3', 'data.pairs.path=/nowhere.parquet'],
      });
      const all = start(['watch', '--state', state]);
      const heard = said(all, 'stdout', /bad \w+ failed/);
      const run = await running.client.submit({ recipe, name: 'good' });
      const one = await cli(['watch', run.id, '--state', state, '--json']);
      expect(one).toMatchObject({ code: 0, stderr: '' });
      const events = objects(one.stdout);
      expect(events.filter((each) => each['kind'] === 'progress')).toHaveLength(3);
      expect(events.at(-1)).toMatchObject({ type: 'state', run: `good ${run.id}`, state: 'done' });

      const lost = await running.client.submit({ recipe: bad, name: 'bad' });
      const failed = await cli(['watch', lost.id, '--state', state]);
      expect(failed.code).toBe(3);
      expect(failed.stderr).toContain('/nowhere.parquet');
      await heard;
      const { code, stdout } = await stopped(all);
      expect(code).toBe(130);
      expect(stdout).toMatch(/good \w+ done/);

      expect(await cli(['watch', 'no-such', '--state', state])).toMatchObject({ code: 2 });
      await stopped(running);
      expect(await cli(['watch', '--state', state])).toMatchObject({ code: 5 });
    },
  );
});
