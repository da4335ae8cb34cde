/** @file Where pages begin, in column chunks as old writers wrote them: pages of version 1 that cut rows anywhere. */
import fc from 'fast-check';
import type { ColumnChunk, SchemaElement, SchemaTree } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { pagesOf } from '../../../datasets/sources/parquet.pages.js';

const element = (repetition_type: SchemaElement['repetition_type']): SchemaTree => ({
  count: 1,
  element: { name: 'x', ...(repetition_type && { repetition_type }) },
  children: [],
  path: [],
});
const listPath = [element(undefined), element('OPTIONAL'), element('REPEATED'), element('OPTIONAL')];

/** Thrift's compact form of numbers under consecutive field ids. */
const zigzag = (value: number): number[] =>
  value * 2 < 128 ? [value * 2] : [((value * 2) % 128) | 128, Math.floor(value / 64)];
const numbers = (...values: number[]): number[] => values.flatMap((value) => [0x15, ...zigzag(value)]);

/** A page of version 1 with these repetition levels (each a run of its own) and `padding` bytes for its values. */
function page(levels: readonly number[], padding: number): Uint8Array {
  const runs = levels.flatMap((level) => [2, level]);
  const body = [runs.length, 0, 0, 0, ...runs, ...Array.from({ length: padding }, () => 7)];
  const header = [...numbers(0, body.length, body.length), 0x2c, ...numbers(levels.length, 0, 3, 3), 0, 0];
  return Uint8Array.from([...header, ...body]);
}

describe('pagesOf', () => {
  const levels = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 40 });
  const cuts = fc.array(fc.record({ length: fc.integer({ min: 1, max: 6 }), padding: fc.nat(20) }), {
    minLength: 40,
    maxLength: 40,
  });

  it('begins every page at a row, says which, and covers all bytes once, wherever pages cut the rows', async () => {
    await fc.assert(
      fc.asyncProperty(levels, cuts, async ([, ...rest], lengths) => {
        const all = [0, ...rest];
        const pages: { levels: number[]; bytes: Uint8Array }[] = [];
        for (let at = 0; at < all.length;) {
          const { length, padding } = lengths[pages.length]!;
          pages.push({
            levels: all.slice(at, at + length),
            bytes: page(all.slice(at, at + length), padding),
          });
          at += length;
        }
        const file = Uint8Array.from(pages.flatMap(({ bytes }) => [...bytes]));
        const rows = all.filter((level) => level === 0).length;
        const source = {
          path: 'x',
          size: file.length,
          read: async (start: number, length: number) => file.slice(start, start + length),
          close: async () => undefined,
        };
        const chunk = {
          meta_data: {
            codec: 'UNCOMPRESSED',
            data_page_offset: 0n,
            total_compressed_size: BigInt(file.length),
          },
        } as unknown as ColumnChunk;
        const found = await pagesOf(source, chunk, listPath, rows);
        let [byte, row] = [0, 0];
        const wanted = [];
        for (const each of pages) {
          if (each.levels[0] === 0)
            wanted.push({ offset: BigInt(byte), first_row_index: BigInt(row), compressed_page_size: 0 });
          wanted.at(-1)!.compressed_page_size += each.bytes.length;
          byte += each.bytes.length;
          row += each.levels.filter((level) => level === 0).length;
        }
        expect(found).toEqual(wanted);
        await expect(pagesOf(source, chunk, listPath, rows + 1)).rejects.toThrow(
          `${rows} rows where there should be ${rows + 1}`,
        );
      }),
    );
  });
});
