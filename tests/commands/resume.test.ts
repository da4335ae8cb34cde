/** @file Kill -9 at any moment, resume, and nobody can tell: final adapters and state are bit-identical. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, scratch, set, start, type Ended } from '../helpers/cli.js';

const { path } = scratch();

/** Six steps and more between kills; checkpoints every third step, so that most kills lose some steps. */
const STEPS = 74;
const RECIPE = [
  ...['train', 'tiny', '--port', '0'],
  ...set(`steps=${STEPS}`, 'arms={"lat":{}}', 'checkpoint.every=3'),
  ...set('evaluate.harmful=null', 'evaluate.benign=null'),
];

/** Where the run's process kills itself, by the names in operators/moment.ts. */
const KILLS = [
  'attack:6',
  'attack:13+1', // between two iterations of the attack
  'defend:19',
  'checkpoint:24:state', // the state is written, its description is not
  'defended:31',
  'attack:38+2',
  'checkpoint:45:rename', // all is written under the temporary name
  'defend:52+1', // between two updates of one batch
  'checkpoint:57:done', // renamed, nothing else done
];

async function resultOf(out: string): Promise<Record<string, string>> {
  const files = [
    'lat/adapter/adapter_model.safetensors',
    `lat/checkpoints/step-0000${STEPS}/state.safetensors`,
  ];
  const contents = await Promise.all(files.map((file) => readFile(join(out, file))));
  return Object.fromEntries(contents.map((content, at) => [files[at] ?? '', content.toString('base64')]));
}

async function stepsIn(out: string): Promise<number[]> {
  const text = await readFile(join(out, 'metrics.ndjson'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { kind: string; step: number })
    .filter(({ kind }) => kind === 'defend')
    .map(({ step }) => step);
}

/** Kills the process that serves people as soon as the record shows a step, wherever the run's own process then is. */
async function killedAfter(args: readonly string[], out: string, step: number): Promise<Ended> {
  const { child, ended } = start(args);
  const over = ended.then(() => true);
  while (Math.max(0, ...(await stepsIn(out).catch(() => []))) < step) {
    const gone = await Promise.race([
      over,
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 5)),
    ]);
    if (gone) break;
  }
  child.kill('SIGKILL');
  return ended;
}

describe('train --resume', () => {
  it('ends with the same bits after eleven kills as without any', { timeout: 600_000 }, async () => {
    const whole = path('whole');
    expect((await cli([...RECIPE, '--out', whole])).code).toBe(0);

    const out = path('killed');
    let args = [...RECIPE, '--out', out];
    for (const moment of KILLS) {
      const { code, stderr } = await cli(args, { LATSTREAM_KILL_AT: moment });
      expect({ moment, code, stderr }).toMatchObject({ code: 5 });
      expect(stderr).toMatch(/SIGKILL.*--resume .*\[RUN_DIED\]/);
      args = ['train', '--resume', out, '--port', '0'];
    }
    for (const step of [62, 68]) {
      expect((await killedAfter(args, out, step)).signal).toBe('SIGKILL');
      expect(await readdir(join(out, 'lat'))).not.toContain('adapter');
    }
    const end = await cli(args);
    expect(end).toMatchObject({ code: 0 });
    expect(end.stderr).toMatch(/resuming after step 6\d/);

    expect(await resultOf(out)).toEqual(await resultOf(whole));
    // The record tells each step once, in order, as that of the run that was never killed.
    expect(await stepsIn(out)).toEqual(Array.from({ length: STEPS }, (_, at) => at + 1));
  });

  it(
    'searches on where it was, with a pool of suffixes: same bits, same pool',
    { timeout: 300_000 },
    async () => {
      const pool = {
        ...{ size: 6, tokens: 3, iterations: 1, candidates: 4, top: 8 },
        ...{ resetEvery: 2, resetShare: 0.5 },
      };
      const arms = JSON.stringify({ r2d2: { attack: null, pool } });
      const settings = ['steps=6', `arms=${arms}`, 'evaluate.harmful=null', 'evaluate.benign=null'];
      const recipe = ['train', 'tiny', '--port', '0', ...set(...settings)];
      const result = async (out: string): Promise<unknown[]> => {
        const last = join(out, 'r2d2/checkpoints/step-000006');
        const { pool, passes } = JSON.parse(await readFile(join(last, 'checkpoint.json'), 'utf8')) as {
          readonly pool: readonly unknown[];
          readonly passes: unknown;
        };
        expect(pool).toHaveLength(6);
        return [pool, passes, (await readFile(join(last, 'state.safetensors'))).toString('base64')];
      };
      const whole = path('pool-whole');
      expect((await cli([...recipe, '--out', whole])).code).toBe(0);

      const out = path('pool-killed');
      let args = [...recipe, '--out', out];
      // Within the search of a case, and after a step that is not saved.
      for (const moment of ['attack:3+9', 'defended:5']) {
        expect((await cli(args, { LATSTREAM_KILL_AT: moment })).code).toBe(5);
        args = ['train', '--resume', out, '--port', '0'];
      }
      expect(await cli(args)).toMatchObject({ code: 0 });
      expect(await result(out)).toEqual(await result(whole));
    },
  );

  it('goes on, as it says, with a run that was killed before anything was measured', async () => {
    const out = path('early');
    const settings = ['steps=2', 'arms={"lat":{}}', 'evaluate.harmful=null', 'evaluate.benign=null'];
    const given = set(...settings);
    const begin = ['train', 'tiny', '--port', '0', '--out', out, ...given];
    const { code, stderr } = await cli(begin, { LATSTREAM_KILL_AT: 'attack:1' });
    expect({ code, stderr }).toMatchObject({ code: 5 });
    expect(stderr).toContain(`latstream train --resume ${out}`);
    expect(await cli(['train', '--resume', out, '--port', '0'])).toMatchObject({ code: 0 });
    expect(await stepsIn(out)).toEqual([1, 2]);
  });
});
