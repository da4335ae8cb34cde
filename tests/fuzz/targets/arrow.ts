/** @file Arrow files and streams: text, dictionaries, lists, records, numbers. */
import {
  Bool,
  Dictionary,
  Field,
  FixedSizeList,
  Float64,
  Int32,
  Int64,
  LargeUtf8,
  List,
  Struct,
  Table,
  Utf8,
  tableToIPC,
  vectorFromArray,
} from 'apache-arrow';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { byteMutation } from '../bytes.js';
import type { Target } from '../target.js';
import { readSource } from './rows.js';

const FILE = 'x.arrow';

/** Two batches of columns of every shape. */
function tables(): Table[] {
  const message = new Struct([new Field('role', new Utf8(), true), new Field('content', new Utf8(), true)]);
  const texts = new Table({
    text: vectorFromArray(['one', null, 'three', 'four'], new Utf8()),
    large: vectorFromArray(['a', 'bc', '', 'd'], new LargeUtf8()),
    label: vectorFromArray(['odd', 'even', 'odd', 'even'], new Dictionary(new Utf8(), new Int32())),
    messages: vectorFromArray(
      [[{ role: 'user', content: 'Hi' }], [], null, [{ role: 'a', content: null }]],
      new List(new Field('item', message, true)),
    ),
  });
  const numbers = new Table({
    count: vectorFromArray([1n, 2n, null, 4n], new Int64()),
    share: vectorFromArray([0.5, null, 1, 2], new Float64()),
    flag: vectorFromArray([true, false, null, true], new Bool()),
    tokens: vectorFromArray([[1, 2], [], [3], [4, 5, 6]], new List(new Field('item', new Int32(), true))),
    pair: vectorFromArray(
      [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ],
      new FixedSizeList(2, new Field('item', new Int32(), true)),
    ),
  });
  return ([texts, numbers] as unknown as Table[]).map(
    (table) => new Table(table.schema, [...table.slice(0, 2).batches, ...table.slice(2).batches]),
  );
}

export const arrow: Target = {
  name: 'arrow',
  weight: 5,
  async seeds() {
    const written = tables().flatMap((table) =>
      (['file', 'stream'] as const).map((format) => ({ [FILE]: tableToIPC(table, format) })),
    );
    // Nothing here compresses: these are of the fixtures.
    const compressed = ['types.lz4.arrow', 'types.zstd.arrow', 'nested.zstd.arrow'].map(async (name) => ({
      [FILE]: await readFile(join('tests/fixtures/parquet', name)),
    }));
    return [...written, ...(await Promise.all(compressed))];
  },
  mutations: () => byteMutation,
  run: (folder) => readSource(folder, FILE),
};
