/** @file Which files of a dataset a reference means: pinned, the most readable kind, the training split. */
import fc from 'fast-check';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataFiles, isAddress } from '../../remote/index.js';
import { staysInside } from '../../remote/reference.js';
import { hubAnd } from './helpers.js';

const FILES = {
  'README.md': '',
  'data/train-00001-of-00002.parquet': '1',
  'data/train-00000-of-00002.parquet': '2',
  'data/test-00000-of-00001.parquet': '3',
  'train.jsonl': '4',
  'strainer.csv': '5',
};

describe('dataFiles', () => {
  it('takes Parquet before others, the training split of it, in order, at the commit', async () => {
    const { hub, remote } = await hubAnd();
    hub.repository('datasets/org/set', FILES);
    const at = (path: string): string => `hf://datasets/org/set@${hub.commit}/${path}`;
    expect(await dataFiles('hf://datasets/org/set', remote)).toEqual([
      at('data/train-00000-of-00002.parquet'),
      at('data/train-00001-of-00002.parquet'),
    ]);
    expect(await dataFiles('hf://datasets/org/set/data/t*-00000-*', remote)).toEqual([
      at('data/test-00000-of-00001.parquet'),
      at('data/train-00000-of-00002.parquet'),
    ]);
    expect(await dataFiles('hf://datasets/org/set/**/?rain.jsonl', remote)).toEqual([at('train.jsonl')]);
    await expect(dataFiles('hf://datasets/org/set/*.parquet', remote)).rejects.toMatchObject({
      code: 'HUB_DATA',
    });
    hub.repository('datasets/org/set', { 'strainer.csv': '', 'b.csv': '', 'README.md': '' });
    expect(await dataFiles('hf://datasets/org/set', remote)).toEqual([at('b.csv'), at('strainer.csv')]);
    hub.repository('datasets/org/set', { 'README.md': '' });
    await expect(dataFiles('hf://datasets/org/set', remote)).rejects.toMatchObject({ code: 'HUB_DATA' });
  });

  it('asks nobody for one file, nor offline, where it takes what the cache holds', async () => {
    const { hub, remote } = await hubAnd({ offline: true });
    expect(await dataFiles('hf://datasets/org/set/x.csv', remote)).toEqual(['hf://datasets/org/set/x.csv']);
    await expect(dataFiles('hf://datasets/org/set', remote)).rejects.toMatchObject({ code: 'HUB_OFFLINE' });
    const folder = join(remote.cache, 'datasets--org--set');
    await mkdir(join(folder, 'snapshots', hub.commit, 'data'), { recursive: true });
    await mkdir(join(folder, 'refs/convert'), { recursive: true });
    await writeFile(join(folder, 'refs/convert/parquet'), hub.commit);
    await writeFile(join(folder, 'snapshots', hub.commit, 'data', 'train.parquet'), '');
    expect(await dataFiles('hf://datasets/org/set@convert%2Fparquet', remote)).toEqual([
      `hf://datasets/org/set@${hub.commit}/data/train.parquet`,
    ]);
    expect(hub.asked).toEqual([]);
  });

  it.each([
    'hf://datasets/',
    'hf://models/a/b',
    'hf://datasets/a/../x',
    'hf://datasets/a/b@%/x',
    'hf://datasets/a/b@..%2F../x',
  ])('refuses the reference %s', async (text) => {
    const { remote } = await hubAnd();
    await expect(dataFiles(text, remote)).rejects.toMatchObject({ code: 'HUB_REFERENCE' });
  });
});

describe('staysInside', () => {
  it('lets no path out of the folder it is joined to, on no system', () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', 'C:', '\\', 'a', '...', '.. ', 'a.'),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const path = parts.join('/');
        if (!staysInside(path)) return;
        expect(join('/base', path).startsWith('/base/')).toBe(true);
        expect(path).not.toMatch(/\\|:|\0|(^|\/)\.+(\/|$)/);
      }),
    );
    for (const good of ['config.json', 'q4/x-00001-of-00002.gguf', '.gitattributes', 'naïve 名.json'])
      expect(staysInside(good)).toBe(true);
  });
});

describe('isAddress', () => {
  it('tells what lies elsewhere from paths', () => {
    for (const text of ['hf:a/b', 'hf://datasets/a/b', 'https://x/y', 'HTTP://x'])
      expect(isAddress(text)).toBe(true);
    for (const text of ['/a/b', './hf', 'hf/a', 'C:\\x', '@out/x', 'https'])
      expect(isAddress(text)).toBe(false);
  });
});
