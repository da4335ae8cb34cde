/** @file The thread that decodes Parquet, so that a row group of a second's work stalls nobody. Loaded by `parquet.thread.ts`. */
import { parentPort } from 'node:worker_threads';
import { LatstreamError } from '../../foundation/index.js';
import { openParquetFile, type OpenParquet } from './parquet.read.js';
import type { ParquetAnswer, ParquetReply, ParquetRequest } from './parquet.thread.js';

const files = new Map<number, Promise<OpenParquet>>();

parentPort?.on('message', (request: ParquetRequest) => {
  void answer(request).then(
    (given) => parentPort?.postMessage({ id: request.id, ...given } satisfies ParquetReply),
    (error: unknown) =>
      parentPort?.postMessage({
        id: request.id,
        error: error instanceof Error ? error.message : String(error),
        ...(error instanceof LatstreamError && { complaint: error.complaint }),
      } satisfies ParquetReply),
  );
});

async function answer(request: ParquetRequest): Promise<ParquetAnswer> {
  if (request.kind === 'open') {
    files.set(request.file, openParquetFile(request.path, request.partBytes));
    const { bytes, columns, parts, rowGroups } = await openFile(request.file);
    return {
      opened: {
        bytes: bytes.size,
        etag: bytes.etag,
        columns: columns.map(({ name, type }) => ({ name, type })),
        counts: parts.map(({ rows }) => rows),
        rowGroups,
      },
    };
  }
  const file = await openFile(request.file);
  if (request.kind === 'read') return { values: await file.read(request.part, request.columns) };
  files.delete(request.file);
  await file.bytes.close();
  return {};
}

function openFile(number: number): Promise<OpenParquet> {
  return files.get(number) ?? Promise.reject(new Error('a file that is not open'));
}
