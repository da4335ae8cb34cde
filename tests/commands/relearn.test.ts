/** @file `latstream relearn` as users run it: every model of a run, beside an oracle; again, it does nothing twice. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, scratch, set } from '../helpers/cli.js';

const { path } = scratch();

interface Told {
  readonly courses: readonly { readonly caption: string; readonly rows: readonly string[][] }[];
}

describe('relearn', () => {
  it('tells the course of each model from its beginning on', { timeout: 120_000 }, async () => {
    const source = path('source');
    const none = ['evaluate.harmful=null', 'evaluate.benign=null'];
    const training = set('threads=1', 'steps=1', ...none, 'arms={"lat":{}}');
    const trained = await cli(['train', 'jailbreak', '--port', '0', '--out', source, ...training]);
    expect(trained).toMatchObject({ code: 0 });
    const short = set(
      'threads=1',
      'steps=2',
      'evaluate.every=1',
      'evaluate.requests=4',
      'arms={"one":{},"two":{"seed":1}}',
    );
    const relearn = (...more: string[]) =>
      cli(['relearn', source, '--json', '--oracle', 'organism/model', ...short, ...more]);
    const { code, stdout, stderr } = await relearn();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { courses } = JSON.parse(stdout) as Told;
    expect(courses.map(({ caption }) => caption)).toEqual([
      'direct: complies, in % after 0, 1, 2 steps.',
      'benign: correct, in % after 0, 1, 2 steps.',
    ]);
    const [head, ...rows] = courses[1]!.rows;
    expect(head).toEqual(['', 'base', 'lat', 'model']);
    expect(rows.map(([arm]) => arm)).toEqual(['one', 'two']);
    for (const row of rows) for (const course of row.slice(1)) expect(course).toMatch(/^\d+ \d+ \d+$/);
    const html = await readFile(join(`${source}-relearn`, 'report.html'), 'utf8');
    expect(html).toContain('models beside each other');

    const metrics = () => readFile(join(`${source}-relearn`, 'lat/metrics.ndjson'), 'utf8');
    const before = await metrics();
    expect((await relearn()).stdout).toBe(stdout);
    expect(await metrics()).toBe(before);
    expect((await relearn('--set', 'steps=3')).stderr).toContain('RUN_EXISTS');
  });

  it('refuses an arm that is none, and leaves nothing behind', async () => {
    const missing = await cli(['relearn', path('source'), '--arms', 'lot', '--out', path('none'), '--json']);
    expect(missing.stderr).toContain('RUN_ARM_MISSING');
    const stray = ['--arms', 'base', '--recipe', 'relearn', '--set', 'data.pairs.path=nowhere.parquet'];
    const failed = await cli(['relearn', path('source'), ...stray, '--out', path('none'), '--json']);
    expect(failed.stderr).toContain('DATASET_MISSING');
    for (const name of ['lot', 'base'])
      expect(existsSync(path(`none/${name}/recipe.json`)), name).toBe(false);
    expect((await cli(['relearn', path('nowhere'), '--json'])).stderr).toContain('RUN_MISSING');
  });
});
