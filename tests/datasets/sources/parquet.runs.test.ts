/** @file Runs in Parquet pages that are longer than their page. */
import fc from 'fast-check';
import type { PageHeader } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { checkPages } from '../../../datasets/sources/parquet.limits.js';
import { checkRuns, type Leaf } from '../../../datasets/sources/parquet.runs.js';

const leaf: Leaf = { start: 0, end: 0, codec: 'UNCOMPRESSED', type: 'INT32', repetition: 0, definition: 1 };

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];

/** A page of version 1: definition levels as given runs, then numbers of two bits into a dictionary as given runs. */
function page(
  values: number,
  levels: readonly number[],
  numbers: readonly number[],
): [PageHeader, Uint8Array] {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(levels.length);
  const bytes = Buffer.concat([prefix, Buffer.from(levels), Buffer.of(2), Buffer.from(numbers)]);
  const header = {
    type: 'DATA_PAGE',
    compressed_page_size: bytes.length,
    uncompressed_page_size: bytes.length,
    data_page_header: {
      num_values: values,
      encoding: 'RLE_DICTIONARY',
      definition_level_encoding: 'RLE',
      repetition_level_encoding: 'RLE',
    },
  } as PageHeader;
  return [header, bytes];
}
const repeated = (count: number, value: number): number[] => [...varint(2 * count), value];
const packed = (groups: number, width: number): number[] => [
  ...varint(2 * groups + 1),
  ...Array.from({ length: Math.min(groups, 64) * width }, () => 0),
];

describe('checkRuns', () => {
  it('lets runs pass that hold the values of their page, however they are cut, and refuses a longer one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 9, max: 2 ** 29 }),
        (runs, more) => {
          const count = runs.reduce((sum, run) => sum + run, 0);
          const whole = runs.flatMap((run) => repeated(run, 1));
          const [last = 0] = runs.slice(-1);
          const beyond = [
            ...runs.slice(0, -1).flatMap((run) => repeated(run, 1)),
            ...repeated(last + more, 1),
          ];
          const check = (levels: number[], numbers: number[]) => () =>
            checkRuns(...page(count, levels, numbers), leaf);
          expect(check(whole, whole)).not.toThrow();
          expect(check(beyond, whole)).toThrow('a run beyond');
          expect(check(whole, beyond)).toThrow('a run beyond');
        },
      ),
    );
  });

  it('lets packed runs be padded as writers do, and not without end', () => {
    const check = (groups: number) => () => checkRuns(...page(5, repeated(5, 1), packed(groups, 2)), leaf);
    expect(check(1)).not.toThrow();
    expect(check(63)).not.toThrow();
    for (const groups of [100, 2 ** 20, 2 ** 28, 2 ** 30]) expect(check(groups)).toThrow('a run beyond');
  });
});

describe('checkPages', () => {
  /** A header in Thrift's compact encoding: type 0, sizes, and a data page of so many plain values. */
  const stored = (values: number, size: number, stated = size): Uint8Array => {
    const zigzag = (value: number): number[] => varint(2 * value);
    const header = [0x15, 0, 0x15, ...zigzag(stated), 0x15, ...zigzag(size), 0x2c];
    return Uint8Array.from([
      ...header,
      0x15,
      ...zigzag(values),
      0x15,
      0,
      0x15,
      6,
      0x15,
      6,
      0,
      0,
      ...new Uint8Array(size),
    ]);
  };
  const required = { ...leaf, definition: 0 };

  it('reads pages up to their end, and refuses those that are cut off or hold too much', () => {
    const two = Buffer.concat([stored(2, 8), stored(3, 12)]);
    expect(() => checkPages(Uint8Array.from(two), required)).not.toThrow();
    expect(() => checkPages(Uint8Array.from(two.subarray(0, -4)), required)).toThrow('cut off');
    expect(() => checkPages(stored(2 ** 28, 8), required)).toThrow('values, more than');
    expect(() => checkPages(stored(2, 8, 2 ** 30 + 1), required)).toThrow('bytes, more than');
  });
});
