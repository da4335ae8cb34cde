/** @file Laws of the file formats: what was written is read, whole or in parts, and bad files are named. */
import fc from 'fast-check';
import { readFile, writeFile } from 'node:fs/promises';
import { parquetWriteFile } from 'hyparquet-writer';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { openJsonl, openSource, readRows, rowsFrom, writeTable, type Cell } from '../../../datasets/index.js';
import { take, temporaryFolder } from '../helpers.js';

const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
const tables = fc.array(
  fc.record({
    text: anyText,
    count: fc.maxSafeInteger(),
    share: fc.double({ noNaN: true, noDefaultInfinity: true }),
    flag: fc.boolean(),
    list: fc.array(fc.integer(), { maxLength: 4 }),
    names: fc.array(anyText, { maxLength: 3 }),
    maybe: fc.option(anyText),
  }),
  { minLength: 1, maxLength: 40 },
);

async function readAll(path: string, from = 0): Promise<unknown[]> {
  const source = await openSource(path);
  try {
    return (await take(rowsFrom(source, source.columns, from), Infinity)).map(({ row }) => row);
  } finally {
    await source.close();
  }
}

describe('writeTable and Parquet sources', () => {
  it('give back what was written, from any row on, whatever the row groups', async () => {
    const path = join(await temporaryFolder(), 'table.parquet');
    await fc.assert(
      fc.asyncProperty(tables, fc.integer({ min: 1, max: 12 }), fc.nat(), async (rows, rowGroupRows, cut) => {
        // Two fixed rows keep each column's type the same: a float with a fraction, a text, lists with an element.
        const fixed = { text: 'é', count: 1, share: 0.5, flag: true, list: [1], names: ['a'], maybe: 'b' };
        const written: Record<string, Cell>[] = [fixed, ...rows];
        await writeTable(path, written, { rowGroupRows });
        const from = cut % written.length;
        expect(await readAll(path, from)).toEqual(written.slice(from));
      }),
      { numRuns: 25 },
    );
  });

  it('read several row groups and gzip, and bytes without annotation as text', async () => {
    const path = join(await temporaryFolder(), 'x.parquet');
    const data = ['plain', 'naïve', '漢字'].map((text) => new TextEncoder().encode(text));
    parquetWriteFile({
      filename: path,
      columnData: [{ name: 'raw', data, type: 'BYTE_ARRAY' }],
      rowGroupSize: 2,
      codec: 'GZIP',
      compressors: { GZIP: (bytes) => gzipSync(bytes) },
    });
    const source = await openSource(path);
    expect(source.groups).toEqual([
      { start: 0, rows: 2 },
      { start: 2, rows: 1 },
    ]);
    await source.close();
    expect(await readRows(path, { text: 'raw' })).toEqual([
      { text: 'plain' },
      { text: 'naïve' },
      { text: '漢字' },
    ]);
  });

  it('name a truncated file and one that is not Parquet, wherever it was cut', async () => {
    const folder = await temporaryFolder();
    const whole = join(folder, 'whole.parquet');
    await writeTable(whole, [{ a: 'x' }, { a: 'y' }]);
    const bytes = await readFile(whole);
    for (const length of [5, 20, bytes.length - 1]) {
      const cut = join(folder, `cut${length}.parquet`);
      await writeFile(cut, bytes.subarray(0, length));
      await expect(readAll(cut)).rejects.toMatchObject({ code: 'DATASET_PARQUET' });
    }
    await writeFile(join(folder, 'text.parquet'), 'hello, world');
    await expect(readAll(join(folder, 'text.parquet'))).rejects.toThrow(
      'text.parquet: expected a complete Parquet',
    );
  });

  it('fail the reads that wait when the source is closed, and all later ones', async () => {
    const path = join(await temporaryFolder(), 'x.parquet');
    await writeTable(path, [{ a: 'x' }]);
    const source = await openSource(path);
    const read = source.read(0, ['a']);
    await Promise.all([source.close(), expect(read).rejects.toThrow('reader has ended')]);
    await expect(source.read(0, ['a'])).rejects.toThrow('reader has ended');
  });

  it('refuse mixed columns and no rows', async () => {
    const path = join(await temporaryFolder(), 'x.parquet');
    await expect(writeTable(path, [])).rejects.toMatchObject({ code: 'TABLE_EMPTY' });
    await expect(writeTable(path, [{ a: 1 }, { a: 'x' }])).rejects.toMatchObject({ code: 'TABLE_COLUMN' });
    await expect(writeTable(path, [{ a: null }])).rejects.toMatchObject({ code: 'TABLE_COLUMN' });
    await expect(readFile(path)).rejects.toThrow('ENOENT');
  });
});

describe('JSON lines sources', () => {
  const lines = fc.array(
    fc.oneof(
      fc.record({ text: anyText, nested: fc.jsonValue({ maxDepth: 1 }) }).map((row) => JSON.stringify(row)),
      fc.constantFrom('', '  ', '\t'),
    ),
    { minLength: 1, maxLength: 40 },
  );

  it('give the rows of the lines, from any row on, whatever the groups, newlines and blank lines', async () => {
    const path = join(await temporaryFolder(), 'x.jsonl');
    await fc.assert(
      fc.asyncProperty(
        lines,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        async (content, newline, ends, groupRows, cut) => {
          await writeFile(path, content.join(newline) + (ends ? newline : ''));
          const expected = content
            .filter((line) => line.trim() !== '')
            .map((line) => JSON.parse(line) as Record<string, unknown>);
          const source = await openJsonl(path, groupRows);
          const from = cut % (expected.length + 1);
          const rows = await take(rowsFrom(source, ['text', 'nested'], from), Infinity);
          await source.close();
          expect(source.rows).toBe(expected.length);
          expect(source.groups.every((group) => group.rows <= groupRows)).toBe(true);
          expect(rows).toEqual(expected.map((row, index) => ({ index, row })).slice(from));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('find groups across the chunks that a file is scanned in', async () => {
    const path = join(await temporaryFolder(), 'x.jsonl');
    const rows = Array.from({ length: 3000 }, (_, at) => ({ at, text: 'x'.repeat((at * 37) % 1500) }));
    await writeFile(path, rows.map((row) => JSON.stringify(row)).join('\n'));
    expect(await readAll(path, 2990)).toEqual(rows.slice(2990));
  });

  it('name the line that is not an object in JSON, and cut files and other encodings', async () => {
    const path = join(await temporaryFolder(), 'x.jsonl');
    const bad = async (content: string | Uint8Array): Promise<unknown> => {
      await writeFile(path, content);
      return readAll(path).catch((error: unknown) => String(error));
    };
    expect(await bad('{"a":1}\n\n{"a":\n')).toMatch(/line 3: expected one JSON object/);
    expect(await bad('{"a":1}\n{"a":2}\n{"a":3')).toMatch(/line 3/);
    await writeFile(path, '{"a":1}\n\n{"a":2}\nnot\n');
    const source = await openJsonl(path, 1);
    await expect(source.read(2, ['a'])).rejects.toThrow('line 4: expected one JSON object');
    await source.close();
    expect(await bad('[1]')).toMatch(/line 1.*got a list/);
    expect(await bad(Uint8Array.of(0x22, 0xff, 0x22))).toMatch(/not UTF-8/);
  });
});

describe('readRows', () => {
  it('reads mapped and nested columns up to a limit, and prefers a column whose own name holds dots', async () => {
    const path = join(await temporaryFolder(), 'x.jsonl');
    const row = (at: number): object => ({
      'a.b': `dotted ${at}`,
      a: { b: 'nested', c: `deep ${at}` },
      messages: [{ content: 'first' }, { content: `last ${at}` }],
    });
    await writeFile(path, [0, 1, 2].map((at) => JSON.stringify(row(at))).join('\n'));
    const mapping = { x: 'a.b', y: 'a.c', z: 'messages.-1.content' };
    expect(await readRows(path, mapping, { limit: 1, offset: 1 })).toEqual([
      { x: 'dotted 1', y: 'deep 1', z: 'last 1' },
    ]);
    expect(await readRows(path, mapping, { limit: 0 })).toEqual([]);
    expect(await readRows(path, mapping)).toHaveLength(3);
  });

  it('names what is missing: file, rows, column (with those that exist), value (with its row)', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'x.jsonl');
    const failure = (columns: Record<string, string>): Promise<unknown> =>
      readRows(path, columns).catch((error: unknown) => error);
    expect(await failure({ a: 'a' })).toMatchObject({ code: 'DATASET_MISSING' });
    await writeFile(path, '\n\n');
    expect(await failure({ a: 'a' })).toMatchObject({ code: 'DATASET_EMPTY' });
    await writeFile(path, '{"prompt":"x","chosen":"y"}\n{"prompt":"z","chosen":7}\n{"prompt":null}');
    const missing = await failure({ p: 'promt' });
    expect(missing).toMatchObject({ code: 'DATASET_COLUMN_MISSING' });
    expect(String(missing)).toContain('columns prompt, chosen');
    expect(await failure({ p: 'prompt' })).toMatchObject({ code: 'DATASET_VALUE_MISSING' });
    expect(String(await failure({ p: 'prompt' }))).toContain('row 2');
    expect(String(await failure({ c: 'chosen' }))).toMatch(/row 1, c: expected text, got 7/);
    expect(await failure({ p: 'prompt.deeper' })).toMatchObject({ code: 'DATASET_VALUE_MISSING' });
  });
});
