/** @file `latstream report` as users run it: on whole runs, on one that was killed, and on what is no run. */
import { mkdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { cli, scratch, set } from '../helpers/cli.js';

const { path } = scratch();
const SETTINGS = [
  'steps=4',
  'evaluate.every=2',
  'evaluate.requests=4',
  'evaluate.grid={"sites":[["embedding"]],"epsilon":[0.5,1]}',
];
const train = (seed: number, env = {}): ReturnType<typeof cli> =>
  cli(
    [
      'train',
      'tiny',
      '--port',
      '0',
      '--seed',
      String(seed),
      '--out',
      path(`run-${seed}`),
      ...set(...SETTINGS),
    ],
    env,
  );

interface Figures {
  readonly seeds: readonly number[];
  readonly measures: readonly {
    readonly name: string;
    readonly models: Readonly<Record<string, { readonly n: number }>>;
  }[];
  readonly compute: readonly {
    readonly arm: string;
    readonly seed: number;
    readonly steps: number;
    readonly forwardPasses: number;
    readonly forwardTokens: number;
    readonly peakMegabytes: number;
  }[];
}

async function figures(...runs: readonly string[]): Promise<Figures[]> {
  const { code, stdout, stderr } = await cli(['report', ...runs, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Figures[];
}

describe('report', () => {
  it('shows runs of several seeds together, one that was killed as far as it is, and counts the same once it has gone on', async () => {
    expect((await train(0)).code).toBe(0);
    expect((await train(1, { LATSTREAM_KILL_AT: 'attack:4' })).code).toBe(5);
    const [half] = await figures(path('run-1'), path('run-0'));
    expect(half!.seeds).toEqual([0, 1]);
    expect(half!.measures.find(({ name }) => name === 'direct')!.models['lat']).toMatchObject({ n: 4 });
    const page = path('report.html');
    expect(await cli(['report', path('run-1'), path('run-0'), '--out', page])).toMatchObject({
      code: 0,
      stdout: `${page}\n`,
    });
    expect(await readFile(page, 'utf8')).toContain('1 of 2 not finished');

    expect((await cli(['train', '--resume', path('run-1'), '--port', '0'])).code).toBe(0);
    const [whole] = await figures(path('run-0'), path('run-1'));
    expect(whole!.measures.map(({ name }) => name)).toEqual([
      'direct',
      'prefill4',
      'latent',
      'latent[embedding; 0.5]',
      'latent[embedding; 1]',
      'atLeastOne',
      'benign',
    ]);
    expect(whole!.measures[0]!.models['lat']).toMatchObject({ n: 8 });
    // A step of `lat` is three iterations of the attack and two updates on pairs and benign rows; `refusal` has no attack.
    for (const { arm, steps, forwardPasses, peakMegabytes } of whole!.compute) {
      expect({ steps, forwardPasses }).toEqual({ steps: 4, forwardPasses: 4 * (arm === 'lat' ? 7 : 4) });
      expect(peakMegabytes).toBeGreaterThan(10);
    }
    expect(await cli(['report', path('run-0'), path('run-1'), '--out', path('all.md')])).toMatchObject({
      code: 0,
    });
    const text = await readFile(path('all.md'), 'utf8');
    expect(text).toContain('Success against ε');
    const [, figure] = /\]\((all-figures\/1\.svg)\)/.exec(text) ?? [];
    expect(await readFile(path(figure as string), 'utf8')).toMatch(/^<svg /);
  });

  it('says what is no run, and what would count twice, and writes nothing', async () => {
    await mkdir(path('empty'));
    const out = ['--out', path('none.html')];
    expect(await cli(['report', path('empty'), ...out])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[RUN_MISSING]') as string,
    });
    const twice = await cli(['report', path('run-0'), path('run-0'), ...out]);
    expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining('[REPORT_REPEATED]') as string });
    await expect(readFile(path('none.html'))).rejects.toThrow('ENOENT');
  });
});
