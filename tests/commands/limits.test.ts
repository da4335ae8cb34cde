/** @file Numbers that are too large, errors of the system, and times of a dry run. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { timesOf } from '../../commands/run/costs.js';
import { errorReport, EXIT, exitCodeOf } from '../../commands/exit.js';
import { readSafetensors } from '../../formats/index.js';
import { LatstreamError } from '../../foundation/index.js';
import { loadRecipe, MOST_THREADS } from '../../recipes/index.js';
import { cli, scratch } from '../helpers/cli.js';
import { sourceFiles } from '../helpers/modules.js';

const { path } = scratch();

describe('a number that is too large', () => {
  it('of threads is refused in a recipe', async () => {
    await expect(loadRecipe('tiny', { set: ['threads=99999'] })).rejects.toMatchObject({
      code: 'RECIPE_INVALID',
    });
    expect((await loadRecipe('tiny', { set: [`threads=${MOST_THREADS}`] })).threads).toBe(MOST_THREADS);
  });

  it.each([
    ['generate', '--model', 'none', '--prompt', 'x', '--threads', '100000'],
    ['train', 'tiny', '--port', '70000'],
  ])('is a matter of usage: %s', async (...args) => {
    const { code, stderr } = await cli(args);
    expect({ code, stderr }).toMatchObject({ code: EXIT.usage });
    expect(stderr).toContain('Expected a whole number from');
  });
});

describe('names of arms', () => {
  it('cannot lead out of the directory of the run', () =>
    expect(loadRecipe('tiny', { set: ['arms={"..":{}}'] })).rejects.toMatchObject({
      code: 'RECIPE_INVALID',
    }));
});

describe('a code of a reader', () => {
  const READERS = ['operators/evaluation/', 'datasets/', 'engine/models/', 'formats/', 'recipes/', 'remote/'];
  const DEFECTS = ['DATASET_NOT_BUILT'];

  it('is never taken for a defect of ours', () => {
    const files = sourceFiles(process.cwd()).filter((file) =>
      READERS.some((folder) => file.startsWith(folder)),
    );
    const codes = files.flatMap((file) =>
      [
        ...readFileSync(file, 'utf8').matchAll(
          /\bcode: '([A-Z]+_[A-Z_]+)'|'((?:GGUF|HUB|REMOTE|MODEL|PEFT)_[A-Z_]+)'/g,
        ),
      ].map(([, first, second]) => first ?? second ?? ''),
    );
    const errors = codes.map((code) => ({ code, owner: '', expected: '', got: '', hint: '' }));
    const defects = errors.filter((each) => exitCodeOf(new LatstreamError(each)) === EXIT.internal);
    expect(codes.length).toBeGreaterThan(50);
    expect(defects.map(({ code }) => code).filter((code) => !DEFECTS.includes(code))).toEqual([]);
  });
});

describe('an error of the system', () => {
  it.each(['EEXIST', 'EISDIR', 'ENOENT', 'EACCES', 'ENOSPC'])('is no defect: %s', (code) => {
    const error = Object.assign(new Error('no'), { code });
    expect(exitCodeOf(error)).toBe(EXIT.environment);
    expect(errorReport(error, false)).toBe(`latstream: no [SYSTEM_${code}]\n`);
  });

  it('stays a defect where nobody knows it', () => {
    expect(exitCodeOf(Object.assign(new Error('no'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBe(EXIT.internal);
    expect(errorReport(new Error('no'), false)).toContain('[INTERNAL]');
  });

  it('is foreseen where a model is a directory', async () => {
    await mkdir(path('model.safetensors'));
    await expect(readSafetensors(path('model.safetensors'))).rejects.toMatchObject({
      code: 'SAFETENSORS_NOT_FILE',
    });
  });
});

describe('times of a dry run', () => {
  it('are not misled by a later step that compiles too', () => {
    expect(timesOf([5, 1, 7, 1])).toEqual({ secondsPerStep: 1, compileSeconds: 4 });
    expect(timesOf([5, 1, 2])).toEqual({ secondsPerStep: 1.5, compileSeconds: 3.5 });
    expect(timesOf([2])).toEqual({ secondsPerStep: 2, compileSeconds: 0 });
  });
});
