/** @file Laws of record files: CSV, JSON lists, plain text. Any row can be read, whatever the groups; damage is named. */
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  openCsv,
  openJsonList,
  openSource,
  rowsFrom,
  type Row,
  type Source,
} from '../../../datasets/index.js';
import { take, temporaryFolder } from '../helpers.js';

const field = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'é', ' ', '\ufeff', '[', '{', '}', ']', '\\'),
    maxLength: 8,
  }),
  fc.constantFrom('plain', '', '漢字'),
);
const records = fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 30 });

async function rest(source: Source, from: number): Promise<Row[]> {
  try {
    return (await take(rowsFrom(source, source.columns, from), Infinity)).map(({ row }) => row);
  } finally {
    await source.close();
  }
}

const failure = async (path: string, content: string | Uint8Array): Promise<unknown> => {
  await writeFile(path, content);
  return openSource(path).then(
    (source) => rest(source, 0).catch((error: unknown) => error),
    (error: unknown) => error,
  );
};

describe('CSV', () => {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const written = (text: string, always: boolean): string =>
    always || /[",\n\r\t]/.test(text) || text === '' ? quoted(text) : text;

  it('gives what was written, from any row on, whatever quotes, line ends, blank lines, mark and groups', async () => {
    const path = join(await temporaryFolder(), 'x.csv');
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.record({
          end: fc.constantFrom('\n', '\r\n'),
          always: fc.boolean(),
          marked: fc.boolean(),
          closed: fc.boolean(),
          tabs: fc.boolean(),
          blank: fc.boolean(),
        }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(30),
        async (rows, { end, always, marked, closed, tabs, blank }, groupRows, cut) => {
          const delimiter = tabs ? '\t' : ',';
          const lines = [['first', 'se"cond'], ...rows].map((row) =>
            row.map((each) => written(each, always)).join(delimiter),
          );
          await writeFile(
            path,
            `${marked ? '\ufeff' : ''}${lines.join(blank ? end + end : end)}${closed ? end : ''}`,
          );
          const source = await openCsv(path, delimiter, groupRows);
          expect(source.columns).toEqual(['first', 'se"cond']);
          expect(source.groups.every((group) => group.rows <= groupRows)).toBe(true);
          const from = cut % (rows.length + 1);
          expect(await rest(source, from)).toEqual(
            rows.slice(from).map(([a, b]) => ({ first: a, 'se"cond': b })),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('names wrong quotes, a wrong number of fields and two columns of one name', async () => {
    const path = join(await temporaryFolder(), 'x.csv');
    for (const content of [
      'a,b\n1,2\n3\n',
      'a,b\n1,x "quoted" y\n',
      'a,b\n1,"open\n',
      'a,a\n1,2\n',
      'a,b\n1,2,3\n',
    ])
      expect(await failure(path, content)).toMatchObject({ code: 'DATASET_CSV' });
    expect(await failure(path, 'a,b\n')).toMatchObject({ code: 'DATASET_EMPTY' });
    expect(await failure(path, Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x0a, 0))).toMatchObject({
      code: 'DATASET_ENCODING',
    });
    expect(String(await failure(path, 'a,b\n1,2\n3,4,5\n'))).toMatch(
      /record 2 from line 2: expected 2 fields.*got 3/,
    );
  });
});

describe('JSON lists', () => {
  const values = fc.array(
    fc.dictionary(field, fc.jsonValue({ maxDepth: 3 }), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    { minLength: 1, maxLength: 20 },
  );

  it('give their elements, from any one on, whatever the layout and the groups', async () => {
    const path = join(await temporaryFolder(), 'x.json');
    await fc.assert(
      fc.asyncProperty(
        values,
        fc.constantFrom('', '  ', '\t'),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(20),
        async (rows, indent, groupRows, cut) => {
          await writeFile(path, `\n ${JSON.stringify(rows, null, indent)}\n`);
          const source = await openJsonList(path, groupRows);
          const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
          const from = cut % (rows.length + 1);
          const found = await take(rowsFrom(source, columns, from), Infinity);
          await source.close();
          expect(source.groups.every((group) => group.rows <= groupRows)).toBe(true);
          const wanted = rows.map((row) =>
            Object.fromEntries(columns.map((name) => [name, Object.hasOwn(row, name) ? row[name] : null])),
          );
          expect(found.map(({ row }) => row)).toEqual(JSON.parse(JSON.stringify(wanted.slice(from))));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('name what is cut off, what is no object and what follows the list; JSON lines may end in .json too', async () => {
    const path = join(await temporaryFolder(), 'x.json');
    const whole = '[{"a": "]"}, {"a": [1, {"b": 2}]}]';
    expect(await failure(path, whole)).toHaveLength(2);
    for (let length = 1; length < whole.length; length++)
      expect(await failure(path, whole.slice(0, length))).toMatchObject({ code: 'DATASET_JSON' });
    for (const content of ['[1]', '[{"a":1} {"a":2}]', '[{"a":1}] x', '[{"a":1}][{"a":2}]', '[[{"a":1}]]'])
      expect(await failure(path, content)).toMatchObject({ code: 'DATASET_JSON' });
    expect(await failure(path, '[]')).toMatchObject({ code: 'DATASET_EMPTY' });
    expect(await failure(path, '{"a":1}\n{"a":2}')).toEqual([{ a: 1 }, { a: 2 }]);
  });
});

describe('plain text', () => {
  it('gives a row per line or per paragraph, without the blank ones', async () => {
    const path = join(await temporaryFolder(), 'x.txt');
    const texts = (rows: readonly Row[]): unknown[] => rows.map((row) => row['text']);
    const marks = Array.from({ length: 1030 }, () => '\ufeffmarked');
    await writeFile(path, `\ufeff${marks.join('\n')}`);
    expect(texts(await rest(await openSource(path), 0))).toEqual(marks);
    await writeFile(path, '\ufeffone\r\ntwo\n\n \n\u00a0\n  three \n\n\n\nfour\nfive');
    expect(texts(await rest(await openSource(path), 0))).toEqual([
      'one',
      'two',
      '\u00a0',
      '  three ',
      'four',
      'five',
    ]);
    expect(texts(await rest(await openSource(path, 'paragraphs'), 0))).toEqual([
      'one\ntwo',
      '\u00a0\n  three ',
      'four\nfive',
    ]);
    expect(texts(await rest(await openSource(path, 'paragraphs'), 2))).toEqual(['four\nfive']);
  });
});
