/** @file Opens a dataset file by its format. Knows nothing about what rows mean. */
import { open as openFile } from 'node:fs/promises';
import { complain } from '../foundation/index.js';
import { openJsonl } from './jsonl.js';
import { openParquet } from './parquet.js';
import type { Source } from './source.js';

/** Opens a source; tests and callers with files of their own pass another one. */
export type OpenSource = (path: string) => Promise<Source>;

/**
 * Opens a Parquet file (`.parquet`, or its magic bytes) or a file of JSON lines (anything else).
 * @throws DATASET_MISSING, DATASET_EMPTY (no rows), DATASET_PARQUET, DATASET_JSON.
 */
export async function openSource(path: string): Promise<Source> {
  const parquet = (await magic(path)) === 'PAR1' || path.endsWith('.parquet');
  const source = await (parquet ? openParquet(path) : openJsonl(path));
  if (source.rows > 0) return source;
  await source.close();
  return complain({
    code: 'DATASET_EMPTY',
    owner: `dataset ${path}`,
    expected: 'at least one row',
    got: 'none',
    hint: 'point to a file that holds rows',
  });
}

async function magic(path: string): Promise<string> {
  try {
    const file = await openFile(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    return complain(
      {
        code: 'DATASET_MISSING',
        owner: `dataset ${path}`,
        expected: 'a readable file',
        got: error instanceof Error ? error.message : String(error),
        hint: 'check the path; relative paths start at the working directory',
      },
      { cause: error },
    );
  }
}
