/** @file What the Arrow tests share: columns of every type as Arrow bytes, and whole files read back. */
import {
  Bool,
  Dictionary,
  Field,
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
  type DataType,
} from 'apache-arrow';
import { open } from 'node:fs/promises';
import { findMessages } from '../../../datasets/sources/arrow.messages.js';
import { openSource, rowsFrom, type Row } from '../../../datasets/index.js';
import { take } from '../helpers.js';

const TYPES: Readonly<Record<string, DataType>> = {
  text: new Utf8(),
  large: new LargeUtf8(),
  label: new Dictionary(new Utf8(), new Int32()),
  count: new Int64(),
  share: new Float64(),
  flag: new Bool(),
  tokens: new List(new Field('item', new Int32(), true)),
  messages: new List(
    new Field(
      'item',
      new Struct([
        new Field('role', new Utf8(), true),
        new Field('content', new Utf8(), true),
        new Field('kept', new Bool(), true),
      ]),
      true,
    ),
  ),
};

export type Format = 'file' | 'stream';

/** The bytes of an Arrow file or stream, so many rows to a batch. */
export function arrowBytes(rows: readonly Row[], format: Format, batchRows: number): Uint8Array {
  const columns = Object.keys(rows[0]!).map((name) => {
    const type = TYPES[name]!;
    const values = rows.map((row) => row[name]);
    const stored =
      type instanceof Int64 ? values.map((each) => (each === null ? null : BigInt(each as number))) : values;
    return [
      name,
      vectorFromArray(
        stored.map((each) => each ?? null),
        type,
      ),
    ] as const;
  });
  const whole = new Table(Object.fromEntries(columns));
  const starts = Array.from({ length: Math.ceil(rows.length / batchRows) }, (_, at) => at * batchRows);
  const batches = starts.flatMap((start) => whole.slice(start, start + batchRows).batches);
  return tableToIPC(new Table(whole.schema, batches), format);
}

/** So many small rows. */
export const numbered = (count: number): { text: string; label: string; count: number }[] =>
  Array.from({ length: count }, (_, at) => ({
    text: `row ${at}`,
    label: at % 2 ? 'odd' : 'even',
    count: at,
  }));

/** The rows of a file from one on. */
export async function readAll(path: string, from = 0): Promise<Row[]> {
  const source = await openSource(path);
  try {
    return (await take(rowsFrom(source, source.columns, from), Infinity)).map(({ row }) => row);
  } finally {
    await source.close();
  }
}

/** Where the messages of a file lie. */
export async function messagesOf(path: string): ReturnType<typeof findMessages> {
  const file = await open(path, 'r');
  try {
    return await findMessages(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}
