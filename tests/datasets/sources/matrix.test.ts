/**
 * @file Files that other writers wrote are read exactly: every file of `tests/fixtures/parquet` against the rows beside
 * it (`make.py` there wrote both), whole and in parts; and files of parquetjs-lite, written here.
 */
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openParquet, openSource, rowsFrom, type Row, type Source } from '../../../datasets/index.js';
import { take, temporaryFolder } from '../helpers.js';

/** The part of parquetjs-lite that is used; it ships no types. */
interface ParquetWriter {
  setRowGroupSize(rows: number): void;
  appendRow(row: object): Promise<void>;
  close(): Promise<void>;
}
const parquetjs = createRequire(import.meta.url)('parquetjs-lite') as {
  readonly ParquetSchema: new (fields: object) => object;
  readonly ParquetWriter: { openFile(schema: object, path: string, options: object): Promise<ParquetWriter> };
};

const folder = join(import.meta.dirname, '../../fixtures/parquet');
const files = readdirSync(folder).filter((name) => /\.(parquet|arrow)$/.test(name));

async function rowsOf(source: Source): Promise<Row[]> {
  try {
    return (await take(rowsFrom(source, source.columns), Infinity)).map(({ row }) => row);
  } finally {
    await source.close();
  }
}

/** The rows of `TABLE.json`, with its tagged values as what they stand for. */
function expected(file: string): unknown {
  const untagged = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(untagged);
    const tags: Readonly<Record<string, (tagged: string) => unknown>> = {
      $big: BigInt,
      $date: (at) => new Date(at),
      $bytes: (hex) => Uint8Array.from(Buffer.from(hex, 'hex')),
      $float: Number,
    };
    const [[tag, content] = ['', '']] = Object.entries(value) as [string, string][];
    const known = tags[tag];
    if (known) return known(content);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, untagged(each)]));
  };
  return untagged(JSON.parse(readFileSync(join(folder, `${file.split('.')[0]}.json`), 'utf8')));
}

/** One file stays open, so that the reader's thread is not started again for each. */
let kept: Source;
beforeAll(async () => (kept = await openParquet(join(folder, 'datasets.v1.parquet'))));
afterAll(() => kept.close());

describe('the matrix', () => {
  it('holds every codec with every encoding and page version', () => {
    const codecs = ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'];
    const encodings = ['plain', 'dictionary', 'delta', 'split'];
    const names = codecs.flatMap((codec) =>
      encodings.flatMap((each) => [1, 2].map((version) => `codecs.${codec}.${each}.v${version}.parquet`)),
    );
    expect(files).toEqual(expect.arrayContaining(names));
  });

  it.each(files)('%s is read exactly', async (file) => {
    expect(await rowsOf(await openSource(join(folder, file)))).toStrictEqual(expected(file));
  });

  it.each(files.filter((file) => /^(codecs\.zstd|nested|types|datasets).*parquet$/.test(file)))(
    '%s is read exactly in parts of any size, in any order',
    async (file) => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), fc.boolean(), async (partBytes, backwards) => {
          const source = await openParquet(join(folder, file), partBytes);
          try {
            const order = [...source.groups.keys()];
            const read = new Map<number, readonly Row[]>();
            for (const part of backwards ? order.reverse() : order)
              read.set(part, await source.read(part, source.columns));
            const rows = source.groups.flatMap((_, part) => read.get(part) ?? []);
            expect(rows).toStrictEqual(expected(file));
          } finally {
            await source.close();
          }
        }),
        { numRuns: 3, examples: [[1, true]] },
      );
    },
  );
});

describe('parquetjs-lite', () => {
  const schema = new parquetjs.ParquetSchema({
    text: { type: 'UTF8', optional: true },
    packed: { type: 'UTF8', compression: 'GZIP' },
    snappy: { type: 'UTF8', compression: 'SNAPPY' },
    count: { type: 'INT64' },
    small: { type: 'INT32', optional: true },
    share: { type: 'DOUBLE' },
    flag: { type: 'BOOLEAN' },
    at: { type: 'TIMESTAMP_MILLIS' },
    raw: { type: 'BYTE_ARRAY', optional: true },
    tags: { type: 'UTF8', repeated: true },
    messages: {
      repeated: true,
      fields: { role: { type: 'UTF8' }, content: { type: 'UTF8', optional: true } },
    },
  });
  const row = (at: number): Record<string, unknown> => ({
    ...(at % 3 && { text: `naïve ${at}` }),
    packed: `packed ${at}`,
    snappy: `snappy ${at % 4}`,
    count: at * 1000,
    ...(at % 5 && { small: -at }),
    share: at / 7,
    flag: at % 2 === 0,
    at: new Date(at * 1000),
    ...(at % 4 && { raw: Buffer.from([at, 255]) }),
    tags: Array.from({ length: at % 4 }, (_, tag) => `t${tag}`),
    messages: Array.from({ length: at % 3 }, (_, turn) => ({ role: 'user', content: `turn ${turn}` })),
  });

  it.each([true, false])('files are read exactly, with pages of version 2: %s', async (useDataPageV2) => {
    const path = join(await temporaryFolder(), 'x.parquet');
    const writer = await parquetjs.ParquetWriter.openFile(schema, path, { useDataPageV2 });
    writer.setRowGroupSize(40);
    for (let at = 0; at < 100; at++) await writer.appendRow(row(at));
    await writer.close();
    const wanted = Array.from({ length: 100 }, (_, at) => {
      const { raw, ...rest } = row(at);
      const bytes = raw === undefined ? null : Uint8Array.from(raw as Uint8Array);
      return { text: null, small: null, ...rest, raw: bytes };
    });
    const rows = await rowsOf(await openSource(path));
    expect(
      rows.map((each) => ({ ...each, raw: each['raw'] && Uint8Array.from(each['raw'] as Uint8Array) })),
    ).toEqual(wanted);
  });
});
