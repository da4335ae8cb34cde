/** @file A run's directory: whose files are whose, one process at a time, and what a crash leaves. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { abandonRun, beginRun, findRun } from '../../../commands/run/directory.js';
import { keptEvaluation } from '../../../commands/run/kept.js';
import { LOCK } from '../../../commands/run/lock.js';
import { checkOutFile } from '../../../commands/outputs.js';
import type { Evaluation } from '../../../operators/index.js';
import { loadRecipe } from '../../../recipes/index.js';
import { scratch } from '../../helpers/cli.js';

const { path } = scratch();
const recipe = await loadRecipe('tiny', {});

describe('beginning a run', () => {
  it("refuses a directory with somebody's files and leaves them alone", async () => {
    await mkdir(path('full/synthetic'), { recursive: true });
    await writeFile(path('full/synthetic/my.txt'), 'x');
    await expect(beginRun(recipe, path('full'))).rejects.toMatchObject({ code: 'RUN_NOT_EMPTY' });
    expect(await readdir(path('full'))).toEqual(['synthetic']);
    expect(await readdir(path('full/synthetic'))).toEqual(['my.txt']);
  });

  it('is taken back whole, with the directories that it made and no others', async () => {
    await mkdir(path('kept'));
    const run = await beginRun(recipe, path('kept/a/b'));
    await mkdir(join(run.out, 'base'));
    await mkdir(join(run.out, 'lat/checkpoints'), { recursive: true });
    await abandonRun(run);
    expect(await readdir(path('kept'))).toEqual([]);
  });

  it('is taken back without what somebody else put there meanwhile', async () => {
    const run = await beginRun(recipe, path('visited'));
    await writeFile(join(run.out, 'notes.txt'), 'x');
    await abandonRun(run);
    expect(await readdir(run.out)).toEqual(['notes.txt']);
  });

  it.each([
    ['a file', 'file', 'OUT_NOT_DIRECTORY'],
    ['below a file', 'file/a/b', 'OUT_NOT_DIRECTORY'],
    ['at a link to nowhere', 'dangling', 'OUT_NOT_WRITABLE'],
  ])('says so where it cannot be: %s', async (_, name, code) => {
    await writeFile(path('file'), '');
    await symlink(path('nothing/there'), path('dangling')).catch(() => undefined);
    await expect(beginRun(recipe, path(name))).rejects.toMatchObject({ code });
  });

  it.runIf(process.platform === 'linux')('gives up under /proc, where making directories fails', () =>
    expect(beginRun(recipe, '/proc/latstream/run')).rejects.toMatchObject({ code: 'OUT_NOT_WRITABLE' }),
  );
});

describe('the lock of a run', () => {
  it('keeps others out until the run is released', async () => {
    const { out, release } = await beginRun(recipe, path('busy'));
    await expect(findRun(out)).rejects.toMatchObject({ code: 'RUN_BUSY' });
    release();
    (await findRun(out)).release();
    expect(await readdir(out)).toEqual(['recipe.json']);
  });

  it('of another living process counts', async () => {
    const { out, release } = await beginRun(recipe, path('foreign'));
    release();
    await writeFile(join(out, LOCK), `${process.ppid}\n`);
    await expect(findRun(out)).rejects.toMatchObject({ code: 'RUN_BUSY' });
    expect(await readFile(join(out, LOCK), 'utf8')).toBe(`${process.ppid}\n`);
  });

  it.each([
    ['of a process that is gone', () => `${spawnSync(process.execPath, ['-e', '']).pid}\n`],
    ['of a former process with the pid of this one', () => `${process.pid}\n`],
    ['that was torn', () => ''],
  ])('is taken over by one of several: %s', async (title, content) => {
    const { out, release } = await beginRun(recipe, path(title.replaceAll(' ', '-')));
    release();
    await writeFile(join(out, LOCK), content());
    const found = await Promise.allSettled([findRun(out), findRun(out), findRun(out)]);
    const got = found.filter((each) => each.status === 'fulfilled');
    expect(got).toHaveLength(1);
    for (const each of found)
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'RUN_BUSY' });
    got[0]?.value.release();
    expect(await readdir(out)).toEqual(['recipe.json']);
  });
});

describe('a damaged run', () => {
  it('with a recipe cut short', async () => {
    const { out, release } = await beginRun(recipe, path('cut'));
    release();
    await writeFile(join(out, 'recipe.json'), '{"name": "ti');
    await expect(findRun(out)).rejects.toMatchObject({ code: 'RUN_CORRUPT' });
  });

  it('with an evaluation that is none', () => {
    const interval = { estimate: 0.5, low: 0.1, high: 0.9 };
    const direct = {
      n: 2,
      counts: { comply: 1, refuse: 1, incoherent: 0 },
      comply: interval,
      outcomes: ['comply', 'refuse'],
    };
    const whole = { attacks: { direct }, benign: null };
    const read = (value: unknown) => keptEvaluation(JSON.stringify(value), 'evaluation.json');
    expect(read(whole)).toEqual(whole);
    const some = { estimate: 0.5, low: 0.25, high: 0.75 };
    const perplexity = { estimate: 2, low: 1.5, high: 3 };
    const table = { n: 1, correct: 1, accuracy: some, refused: 0, outcomes: [true] };
    const everything: Required<Evaluation> = {
      attacks: {
        latent: { ...direct, outcomes: ['comply', 'refuse'], norms: { embedding: { mean: 1, max: 2 } } },
      },
      strongest: [{ attack: 'latent', comply: some }],
      benign: { ...table, likelihood: { tokens: 4, crossEntropy: perplexity, perplexity } },
      probes: { facts: table },
      recall: { facts: { n: 8, chance: 0.25, block: 0, accuracy: some } },
      quality: { n: 1, scale: [1, 10], score: perplexity, scores: [[2, 3]] },
      notes: { nearDuplicates: { harmful: 2 }, openings: 1 },
    };
    expect(read(everything)).toEqual(everything);
    const corrupt = expect.objectContaining({ code: 'RUN_CORRUPT' }) as Error;
    for (const value of [
      {},
      null,
      { attacks: {} },
      { ...whole, attacks: { direct: { ...direct, n: 3 } } },
      { ...whole, attacks: { direct: { ...direct, outcomes: ['comply', 'maybe'] } } },
    ])
      expect(() => read(value)).toThrow(corrupt);
    expect(() => keptEvaluation('{"attacks"', 'evaluation.json')).toThrow(corrupt);
  });
});

describe('a file to write', () => {
  it('needs a folder, and no directory in its place', async () => {
    await mkdir(path('folder'));
    await expect(checkOutFile(path('folder/x.safetensors'))).resolves.toBeUndefined();
    await expect(checkOutFile(path('folder'))).rejects.toMatchObject({ code: 'OUT_IS_DIRECTORY' });
    await expect(checkOutFile(path('folder/no/x'))).rejects.toMatchObject({ code: 'OUT_FOLDER_MISSING' });
  });
});
