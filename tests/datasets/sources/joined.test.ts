/** @file Many files as one: folders, patterns and lists, in a stable order, with few files open at a time. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSource, rowsFrom, writeTable, type Place } from '../../../datasets/index.js';
import { take, temporaryFolder } from '../helpers.js';

async function values(place: Place, from = 0): Promise<unknown[]> {
  const source = await openSource(place);
  try {
    return (await take(rowsFrom(source, ['a'], from), Infinity)).map(({ row }) => row['a']);
  } finally {
    await source.close();
  }
}

describe('a folder, a pattern or a list', () => {
  it('is its files one after the other, sorted, from any row on, and passes over what holds no rows', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'deep'));
    for (const [name, at] of [
      ['b.parquet', 2],
      ['a.parquet', 0],
      ['deep/c.parquet', 4],
    ] as const)
      await writeTable(join(folder, name), [{ a: at }, { a: at + 1 }], { rowGroupRows: 1 });
    await writeFile(join(folder, 'README.md'), '# no rows');
    await writeFile(join(folder, 'dataset_info.json'), '{}');
    const all = [0, 1, 2, 3, 4, 5];
    expect(await values(folder)).toEqual(all);
    for (const from of all) expect(await values(`${folder}/**/*.parquet`, from)).toEqual(all.slice(from));
    expect(await values(`${folder}/{b,a}.parquet`)).toEqual([0, 1, 2, 3]);
    expect(await values([join(folder, 'b.parquet'), `${folder}/deep/*`, join(folder, 'a.parquet')])).toEqual([
      2, 3, 4, 5, 0, 1,
    ]);
    const source = await openSource(folder);
    expect([source.files, source.rows, source.groups.length]).toEqual([3, 6, 6]);
    await source.close();
  });

  it('reads more files than may be open at a time, and a file whose name looks like a pattern', async () => {
    const folder = await temporaryFolder();
    const numbers = Array.from({ length: 150 }, (_, at) => at);
    for (const at of numbers) await writeFile(join(folder, `x${1000 + at}.jsonl`), `{"a":${at}}\n`);
    expect(await values(folder)).toEqual(numbers);
    await writeFile(join(folder, 'odd[1].jsonl'), '{"a":7}');
    expect(await values(join(folder, 'odd[1].jsonl'))).toEqual([7]);
  });

  it('refuses a file that changed between two reads of it', async () => {
    const folder = await temporaryFolder();
    for (let at = 0; at < 60; at++) await writeFile(join(folder, `x${100 + at}.jsonl`), `{"a":${at}}\n`);
    const source = await openSource(folder);
    await writeFile(join(folder, 'x100.jsonl'), '{"a":12345}\n');
    await expect(source.read(0, ['a'])).rejects.toMatchObject({ code: 'BYTES_CHANGED' });
    expect(await source.read(59, ['a'])).toEqual([{ a: 59 }]);
    await source.close();
  });

  it('refuses files of different formats or columns, and an empty folder', async () => {
    const folder = await temporaryFolder();
    await expect(values(folder)).rejects.toMatchObject({ code: 'DATASET_MISSING' });
    await expect(values(`${folder}/*.csv`)).rejects.toMatchObject({ code: 'DATASET_MISSING' });
    await writeFile(join(folder, 'x.csv'), 'a\n1\n');
    await writeFile(join(folder, 'y.csv'), 'b\n1\n');
    await expect(values(folder)).rejects.toMatchObject({ code: 'DATASET_COLUMNS' });
    await writeFile(join(folder, 'z.jsonl'), '{"a":1}');
    await expect(values(folder)).rejects.toMatchObject({ code: 'DATASET_FORMATS' });
    await writeFile(join(folder, 'z2.jsonl'), '{"b":2}');
    expect(await values(`${folder}/z*.jsonl`)).toEqual([1, null]);
  });
});
