/** @file A record as a table with a row for each value, in Parquet or in CSV. */
import { rename, rm } from 'node:fs/promises';
import type { SchemaElement } from 'hyparquet';
import { fileWriter, parquetWriteRows } from 'hyparquet-writer';
import type { Metric } from '../streams/index.js';

/** One value that was measured. */
interface Row {
  readonly sequence: bigint;
  /** Milliseconds since the epoch. */
  readonly time: bigint;
  readonly run: string;
  readonly step: bigint;
  readonly kind: string;
  readonly name: string;
  readonly value: number;
}

const TEXT: Partial<SchemaElement> = { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
const WHOLE: Partial<SchemaElement> = { type: 'INT64' };
const COLUMNS: Readonly<Record<keyof Row, Partial<SchemaElement>>> = {
  ...{ sequence: WHOLE, time: WHOLE, run: TEXT, step: WHOLE },
  ...{ kind: TEXT, name: TEXT, value: { type: 'DOUBLE' } },
};
const NAMES = Object.keys(COLUMNS) as (keyof Row)[];

/** Rows that a reader holds at once. */
const GROUP = 50_000;

async function* rowsOf(metrics: AsyncIterable<Metric>): AsyncGenerator<Row> {
  for await (const { sequence, time, run, step, kind, values } of metrics)
    for (const [name, value] of Object.entries(values))
      yield {
        ...{ sequence: BigInt(sequence), time: BigInt(Math.round(time)), run, step: BigInt(step) },
        ...{ kind, name, value },
      };
}

/** Lines of CSV with a head; texts are quoted where they must be. What is not finite is `NaN`. */
export async function* csvLines(metrics: AsyncIterable<Metric>): AsyncGenerator<string> {
  yield `${NAMES.join(',')}\n`;
  for await (const row of rowsOf(metrics))
    yield `${NAMES.map((name) => cell(String(row[name]))).join(',')}\n`;
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Writes a Parquet file: complete or not at all. */
export async function writeRecordTable(path: string, metrics: AsyncIterable<Metric>): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    await parquetWriteRows({
      writer: fileWriter(temporary),
      rows: rowsOf(metrics) as AsyncIterable<Record<string, unknown>>,
      columns: NAMES.map((name) => ({ name })),
      schema: [
        { name: 'root', num_children: NAMES.length },
        ...NAMES.map((name) => ({ name, repetition_type: 'REQUIRED' as const, ...COLUMNS[name] })),
      ],
      rowGroupSize: GROUP,
      createdBy: 'latstream',
    });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
