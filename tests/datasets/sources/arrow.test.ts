/** @file Laws of Arrow files and streams as sources: what was written is read, batch by batch. */
import {
  Dictionary,
  Field,
  Int32,
  IntervalYearMonth,
  List,
  RecordBatchStreamWriter,
  Table,
  Utf8,
  Vector,
  makeData,
  tableToIPC,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSource, readRows, writeTable } from '../../../datasets/index.js';
import { arrowBytes, messagesOf, numbered, readAll, type Format } from './arrow.helpers.js';
import { temporaryFolder } from '../helpers.js';

const anyText = fc.string({ unit: 'grapheme', maxLength: 12 });
const message = fc.record({
  role: fc.constantFrom('user', 'assistant'),
  content: fc.option(anyText),
  kept: fc.boolean(),
});
const rowsOf = fc.array(
  fc.record({
    text: anyText,
    large: fc.option(anyText),
    label: fc.option(fc.constantFrom('good', 'bad', '\ufeffmarked')),
    count: fc.option(fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constant(2n ** 60n))),
    share: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    flag: fc.option(fc.boolean()),
    tokens: fc.option(fc.array(fc.option(fc.integer()), { maxLength: 4 })),
    messages: fc.array(fc.option(message), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 30 },
);

const formats = fc.constantFrom<Format>('file', 'stream');

describe('Arrow sources', () => {
  it('give back what was written, from any row on, whatever the format and the batches', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    await fc.assert(
      fc.asyncProperty(
        rowsOf,
        formats,
        fc.integer({ min: 1, max: 12 }),
        fc.nat(),
        async (rows, format, batchRows, cut) => {
          await writeFile(path, arrowBytes(rows, format, batchRows));
          const from = cut % (rows.length + 1);
          expect(await readAll(path, from)).toEqual(rows.slice(from));
          const source = await openSource(path);
          await source.close();
          expect(source.rows).toBe(rows.length);
          expect(source.groups.every((group) => group.rows <= batchRows)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('give the rows that Parquet gives, also to nested mappings', async () => {
    const folder = await temporaryFolder();
    const rows = numbered(9).map((row) => ({ ...row, tokens: [row.count, 2] }));
    await writeTable(join(folder, 'x.parquet'), rows, { rowGroupRows: 4 });
    await writeFile(join(folder, 'x.feather'), arrowBytes(rows, 'file', 4));
    expect(await readAll(join(folder, 'x.feather'))).toEqual(await readAll(join(folder, 'x.parquet')));
    const chats = [
      {
        messages: [
          { role: 'user', content: 'Hi', kept: true },
          { role: 'x', content: 'last', kept: false },
        ],
      },
    ];
    await writeFile(join(folder, 'chats.ipc'), arrowBytes(chats, 'stream', 1));
    expect(await readRows(join(folder, 'chats.ipc'), { end: 'messages.-1.content' })).toEqual([
      { end: 'last' },
    ]);
  });

  it('know files and streams by their first bytes, whatever their names', async () => {
    const path = join(await temporaryFolder(), 'data.jsonl');
    for (const format of ['file', 'stream'] as const) {
      await writeFile(path, arrowBytes(numbered(3), format, 2));
      expect(await readAll(path)).toEqual(numbered(3));
    }
  });

  it('read the batch that is asked for, its dictionaries, and nothing else', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    for (const format of ['file', 'stream'] as const) {
      const bytes = arrowBytes(numbered(9), format, 3);
      await writeFile(path, bytes);
      const { batches } = await messagesOf(path);
      const source = await openSource(path);
      const needed = [...batches[1]!.dictionaries, batches[1]!];
      await writeFile(
        path,
        bytes.map((byte, at) =>
          needed.some(({ start, bytes: length }) => at >= start && at < start + length) ? byte : 0,
        ),
      );
      expect(await source.read(1, ['text', 'label'])).toEqual(
        numbered(9)
          .slice(3, 6)
          .map(({ text, label }) => ({ text, label })),
      );
      await expect(source.read(2, ['text'])).rejects.toMatchObject({ code: 'DATASET_ARROW' });
      await source.close();
    }
  });

  it('decode the asked columns only', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    const months = makeData({ type: new IntervalYearMonth(), data: Int32Array.of(1, 2) });
    const table = new Table({ span: new Vector([months]), text: vectorFromArray(['a', 'b'], new Utf8()) });
    await writeFile(path, tableToIPC(table, 'file'));
    const source = await openSource(path);
    expect(source.columns).toEqual(['span', 'text']);
    expect(await source.read(0, ['text'])).toEqual([{ text: 'a' }, { text: 'b' }]);
    await expect(source.read(0, ['text', 'span'])).rejects.toThrow(/Interval.*column span/);
    await source.close();
  });

  it('give each its own list where a dictionary holds lists', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    const lists = new List(new Field('item', new Utf8(), true));
    const dictionary = vectorFromArray([['a'], ['b', 'c'], [], ['d']], lists);
    const type = new Dictionary(lists, new Int32());
    const tags = makeData({ type, data: Int32Array.of(3, 1, 2, 1, 0), dictionary });
    await writeFile(path, tableToIPC(new Table({ tags: new Vector([tags]) }), 'file'));
    const expected = [['d'], ['b', 'c'], [], ['b', 'c'], ['a']];
    expect(await readAll(path)).toEqual(expected.map((each) => ({ tags: each })));
  });

  it('follow dictionaries that are replaced in the middle of a stream, also when read backwards', async () => {
    const path = join(await temporaryFolder(), 'x.arrow');
    const type = new Dictionary(new Utf8(), new Int32());
    const parts = [
      ['a', 'b', 'a'],
      ['x', 'y'],
      ['b', 'x'],
    ].map((part) => vectorFromArray(part, type));
    const writer = new RecordBatchStreamWriter();
    for (const part of parts) writer.write(new Table({ label: part }).batches[0]);
    await writeFile(path, writer.finish().toUint8Array(true));
    const source = await openSource(path);
    const labels = async (group: number): Promise<unknown[]> =>
      (await source.read(group, ['label'])).map(({ label }) => label);
    // A replaced dictionary is not read again.
    expect((await messagesOf(path)).batches.map(({ dictionaries }) => dictionaries.length)).toEqual([
      1, 1, 1,
    ]);
    expect(await labels(2)).toEqual(['b', 'x']);
    expect(await labels(1)).toEqual(['x', 'y']);
    expect(await labels(0)).toEqual(['a', 'b', 'a']);
    await source.close();
  });
});
