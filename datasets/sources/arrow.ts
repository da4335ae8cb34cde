/** @file An Arrow IPC file or stream as a source: a record batch is a group. Knows nothing about what rows mean. */
import { Message, RecordBatchReader, type Data, type Schema } from 'apache-arrow';
import type { FileHandle } from 'node:fs/promises';
import { withinBounds } from './arrow.codecs.js';
import { asFile } from './arrow.file.js';
import { findMessages, readBytes, type BatchBlock } from './arrow.messages.js';
import { plainValues } from './arrow.values.js';
import { openHandle } from './handles.js';
import { orComplain } from './or-complain.js';
import { groupAt, groupsOf, type Row, type Source } from './source.js';

/**
 * Opens an Arrow file (Feather version 2 is one) or stream. Opening reads the headers of its messages;
 * a read holds one record batch and the dictionaries in force there, whatever the file's size.
 * @throws DATASET_ARROW where the file is cut off, damaged, or not Arrow.
 */
export async function openArrow(path: string): Promise<Source> {
  const handle = await openHandle(path);
  const file = asFile(handle);
  const complaint = {
    code: 'DATASET_ARROW',
    owner: `dataset ${path}`,
    expected: 'a complete Arrow file or stream',
    hint: 'write the file again, to its end, or as Parquet',
  };
  try {
    const { schema, batches } = await orComplain(complaint, () => findMessages(file, handle.size));
    const columns = schema.fields.map((field) => field.name);
    const groups = groupsOf(batches.map(({ rows }) => rows));
    const source: Source = {
      path,
      bytes: handle.size,
      ...(handle.etag !== undefined && { etag: handle.etag }),
      columns,
      rows: groups.reduce((sum, { rows }) => sum + rows, 0),
      groups,
      read: async (group, names) => {
        groupAt(source, group);
        return orComplain(complaint, () => readBatch(file, batches[group] as BatchBlock, schema, names));
      },
      close: () => handle.close(),
    };
    return source;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readBatch(
  file: FileHandle,
  batch: BatchBlock,
  schema: Schema,
  columns: readonly string[],
): Promise<Row[]> {
  const start = schemaMessage(schema);
  const blocks = [...batch.dictionaries, batch];
  const stream = new Uint8Array(blocks.reduce((sum, { bytes }) => sum + bytes, start.length));
  stream.set(start);
  let at = start.length;
  for (const block of blocks) {
    await readBytes(file, block.start, block.bytes, stream.subarray(at, at + block.bytes));
    at += block.bytes;
  }
  const [decoded] = withinBounds(() => [...RecordBatchReader.from(stream)]);
  const children = (decoded?.data.children ?? []) as readonly Data[];
  const values = columns.map((name) => {
    const column = children[schema.fields.findIndex((field) => field.name === name)];
    if (column && column.length !== batch.rows) throw new Error(`a column ${name} of ${column.length} rows`);
    return named(name, () => (column ? plainValues(column) : []));
  });
  return Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries(columns.map((name, column) => [name, values[column]?.[row] ?? null])),
  );
}

/** A schema as the first message of a stream: of a file, the schema may be in the footer only. */
function schemaMessage(schema: Schema): Uint8Array {
  const header = Message.encode(Message.from(schema));
  const length = Math.ceil(header.length / 8) * 8;
  const message = new Uint8Array(8 + length);
  new DataView(message.buffer).setInt32(0, -1, true);
  new DataView(message.buffer).setInt32(4, length, true);
  message.set(header, 8);
  return message;
}

function named<T>(column: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message} (column ${column})`, { cause: error });
  }
}
