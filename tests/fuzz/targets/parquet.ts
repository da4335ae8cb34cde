/** @file Parquet files: plain and dictionary pages, deltas, nested columns, and compression that lies. */
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { openParquet, writeTable } from '../../../datasets/index.js';
import { byteMutation } from '../bytes.js';
import type { Mutation, Target } from '../target.js';
import { readSource } from './rows.js';

const FILE = 'x.parquet';

const columns: ColumnSource[] = [
  { name: 'text', data: ['one', 'two', 'three', 'four'], type: 'STRING' },
  { name: 'label', data: ['odd', 'even', 'odd', 'even'], type: 'STRING', nullable: true },
  { name: 'count', data: [1n, 2n, 3n, 4n], type: 'INT64', encoding: 'DELTA_BINARY_PACKED' },
  { name: 'small', data: [1, 2, 3, 4], type: 'INT32', encoding: 'DELTA_BINARY_PACKED' },
  { name: 'bytes', data: ['ab', 'abc', 'b', ''], type: 'STRING', encoding: 'DELTA_LENGTH_BYTE_ARRAY' },
  { name: 'split', data: [0.5, 1, 2, 4], type: 'DOUBLE', encoding: 'BYTE_STREAM_SPLIT' },
  { name: 'flag', data: [true, false, true, true], type: 'BOOLEAN' },
];

/** Other codecs and encodings, pages of version 2, deeper nests, older types. */
const FIXTURES = [
  ...['codecs.zstd.dictionary.v2', 'codecs.lz4.plain.v1', 'codecs.brotli.delta.v2', 'codecs.none.delta.v1'],
  ...['nested.plain.v2', 'nested.indexed.v1', 'types.dictionary.v1', 'older.int96.v1'],
];

/** The footer says what is allocated: most damage goes there. */
const footerMutation: fc.Arbitrary<Mutation> = byteMutation.map((mutate) => (bytes, other) => {
  const start = Math.max(
    0,
    bytes.length - 8 - (bytes.length < 8 ? 0 : Buffer.from(bytes).readUInt32LE(bytes.length - 8)),
  );
  const footer = mutate(bytes.subarray(start, -8), other);
  const length = Buffer.alloc(8, 'PAR1');
  length.writeUInt32LE(footer.length, 0);
  length.write('PAR1', 4);
  return Buffer.concat([bytes.subarray(0, start), footer, length]);
});

export const parquet: Target = {
  name: 'parquet',
  weight: 3,
  async seeds(scratch) {
    const path = join(scratch, 'seed.parquet');
    const messages = { tokens: [1, 2, 3], words: ['a', 'b'], text: 'x', share: 0.5, count: 1, flag: true };
    await writeTable(path, [messages, messages, { ...messages, tokens: [], text: null }, messages], {
      rowGroupRows: 2,
    });
    const written = (options: object): Uint8Array =>
      new Uint8Array(parquetWriteBuffer({ columnData: columns, ...options }));
    // What decompresses to far more than it is.
    const flat = [
      {
        name: 'text',
        data: Array.from({ length: 64 }, () => 'x'.repeat(8000)),
        type: 'STRING' as const,
        encoding: 'PLAIN' as const,
      },
    ];
    const squeezed = [
      { codec: 'GZIP', compressors: { GZIP: (input: Uint8Array) => gzipSync(input, { level: 9 }) } },
      { codec: 'BROTLI', compressors: { BROTLI: (input: Uint8Array) => brotliCompressSync(input) } },
    ];
    // While a file is open the reader's thread lives; each case would start another one.
    await openParquet(path);
    // What nothing here writes.
    const others = FIXTURES.map(async (name) => ({
      [FILE]: await readFile(join('tests/fixtures/parquet', `${name}.parquet`)),
    }));
    return [
      ...(await Promise.all(others)),
      { [FILE]: await readFile(path) },
      { [FILE]: written({ codec: 'UNCOMPRESSED' }) },
      { [FILE]: written({ codec: 'SNAPPY', rowGroupSize: 2 }) },
      ...squeezed.flatMap((options) => [
        { [FILE]: written(options) },
        { [FILE]: written({ ...options, columnData: flat }) },
      ]),
    ];
  },
  mutations: () => fc.oneof(byteMutation, footerMutation),
  run: (folder) => readSource(folder, FILE),
};
