/** @file What a run measured, written for other programs by the command line. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../../recipes/index.js';
import { cli, scratch } from '../helpers/cli.js';

const { path } = scratch();
const metric = {
  run: 'tiny/lat',
  sequence: 0,
  time: 1_700_000_000_500,
  step: 3,
  kind: 'attack',
  values: { loss: 0.5 },
};
const line = `${JSON.stringify(metric)}\n`;

describe('metrics', () => {
  it('writes lines to standard output and files elsewhere, and says what is missing', async () => {
    const run = path('run');
    await mkdir(run);
    await writeFile(path('run/recipe.json'), JSON.stringify(await loadRecipe('tiny', {})));
    expect(await cli(['metrics', run])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[RUN_EMPTY]') as string,
    });
    // A run that goes on: its last line is not whole yet. A name of another's making leads nowhere else.
    const strange = line.replace('tiny/lat', '../..');
    await writeFile(path('run/metrics.ndjson'), `${line}${strange}${line.slice(0, 20)}`);
    expect((await cli(['metrics', run, '--format', 'jsonl'])).stdout).toBe(line + strange);
    const csv = await cli(['metrics', run, '--out', path('m.csv')]);
    expect(csv).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await readFile(path('m.csv'), 'utf8')).toContain('0,1700000000500,tiny/lat,3,attack,loss,0.5\n');
    expect(await cli(['metrics', run, '--format', 'tensorboard', '--out', path('events')])).toMatchObject({
      code: 0,
    });
    const files = await readdir(path('events'), { recursive: true });
    expect(files.filter((file) => file.endsWith('.latstream')).sort()).toEqual([
      '_/_/events.out.tfevents.1700000000.latstream',
      'tiny/lat/events.out.tfevents.1700000000.latstream',
    ]);
    const nowhere = await cli(['metrics', run, '--format', 'parquet']);
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('[USAGE_OUT]') as string });
  });
});
