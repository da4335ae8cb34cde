/** @file Writes a large Parquet file: pairs for training beside a column of long texts, in row groups of a gigabyte. */
import { statSync } from 'node:fs';
import { fileWriter, parquetWriteRows } from 'hyparquet-writer';
import { draws } from '../foundation/index.js';
import { SIZES, tables } from '../organism/index.js';

/** Rows of a row group, and characters of a long text. */
export const GROUP_ROWS = 50_000;
const TEXT = 20_000;
const POOL = 2 ** 23;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789    ';

/** Writes at least so many bytes (Snappy; the texts hardly compress). @returns rows written. */
export async function writeLarge(path: string, bytes: number): Promise<number> {
  const rows = Math.ceil(bytes / (0.97 * TEXT));
  const text = (name: string): object => ({
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    repetition_type: 'OPTIONAL',
  });
  const names = ['prompt', 'adversarial', 'desired', 'document'];
  await parquetWriteRows({
    writer: fileWriter(path),
    rows: rowsOf(rows),
    columns: [{ name: 'id' }, ...names.map((name) => ({ name }))],
    schema: [
      { name: 'root', num_children: 5 },
      { name: 'id', type: 'INT64', repetition_type: 'REQUIRED' },
      ...names.map(text),
    ] as never,
    rowGroupSize: GROUP_ROWS,
  });
  if (statSync(path).size < bytes) throw new Error('a file that came out too small');
  return rows;
}

function* rowsOf(count: number): Generator<Record<string, unknown>> {
  const pairs = tables(0, { ...SIZES, pairs: 512 })['harmful'] ?? [];
  const draw = draws(0, 'large-data');
  const pool = Array.from({ length: POOL }, () => LETTERS[draw.integer(LETTERS.length)]).join('');
  for (let id = 0; id < count; id++) {
    const start = draw.integer(POOL - TEXT);
    yield { id: BigInt(id), ...pairs[id % pairs.length], document: pool.slice(start, start + TEXT) };
  }
}
