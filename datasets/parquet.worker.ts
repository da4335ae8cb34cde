/** @file The thread that decodes Parquet, so that a row group of a second's work stalls nobody. Loaded by `parquet.ts`. */
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { parentPort, workerData } from 'node:worker_threads';
import type { ParquetReply, ParquetRequest } from './parquet.js';

interface OpenFile {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

let opened: Promise<OpenFile> | undefined;

parentPort?.on('message', (request: ParquetRequest) => {
  void answer(request).then(
    (reply) => parentPort?.postMessage(reply),
    (error: unknown) =>
      parentPort?.postMessage({
        id: request.id,
        error: error instanceof Error ? error.message : String(error),
      } satisfies ParquetReply),
  );
});

async function answer(request: ParquetRequest): Promise<ParquetReply> {
  const { file, metadata } = await (opened ??= openFile(workerData as string));
  if (request.kind === 'open')
    return {
      id: request.id,
      opened: {
        bytes: file.byteLength,
        columns: parquetSchema(metadata).children.map((child) => child.element.name),
        counts: metadata.row_groups.map((group) => Number(group.num_rows)),
      },
    };
  // The whole group: a smaller window would decode all of it again for every window.
  const counts = metadata.row_groups.map((group) => Number(group.num_rows));
  const rowStart = counts.slice(0, request.group).reduce((sum, rows) => sum + rows, 0);
  const rowEnd = rowStart + (counts[request.group] ?? 0);
  const rows = await parquetReadObjects({
    file,
    metadata,
    columns: [...request.columns],
    rowStart,
    rowEnd,
    compressors,
    utf8: false, // Otherwise binary columns without annotation are decoded as text and corrupted.
  });
  return { id: request.id, values: request.columns.map((name) => rows.map((row) => plain(row[name]))) };
}

async function openFile(path: string): Promise<OpenFile> {
  const file = await asyncBufferFromFile(path);
  return { file, metadata: await parquetMetadataAsync(file) };
}

/** 64-bit integers as numbers where they fit, so that both file formats give the same rows. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, plain(child)]));
  return value ?? null;
}
