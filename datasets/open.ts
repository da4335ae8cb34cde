/** @file Opens a dataset file by its format. Knows nothing about what rows mean. */
import { open as openFile } from 'node:fs/promises';
import { complain } from '../foundation/index.js';
import { openArrow } from './arrow.js';
import { openJsonl } from './jsonl.js';
import { openParquet } from './parquet.js';
import type { Source } from './source.js';

/** Opens a source; tests and callers with files of their own pass another one. */
export type OpenSource = (path: string) => Promise<Source>;

/**
 * Opens a Parquet file, an Arrow file or stream, or a file of JSON lines: by the first bytes, then by the ending of
 * its name (`.parquet`; `.arrow`, `.feather`, `.ipc`); anything else is JSON lines.
 * @throws DATASET_MISSING, DATASET_EMPTY (no rows), DATASET_PARQUET, DATASET_ARROW, DATASET_JSON.
 */
export async function openSource(path: string): Promise<Source> {
  const source = await OPENERS[formatOf(await magic(path), path)](path);
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

const OPENERS = { parquet: openParquet, arrow: openArrow, jsonl: (path: string) => openJsonl(path) } as const;

function formatOf(start: string, path: string): keyof typeof OPENERS {
  if (start.startsWith('PAR1')) return 'parquet';
  // An Arrow stream starts with a mark of bytes that no text in UTF-8 holds.
  if (start === 'ARROW1' || start.startsWith('\xff\xff\xff\xff')) return 'arrow';
  if (path.endsWith('.parquet')) return 'parquet';
  return /\.(arrow|feather|ipc)$/.test(path) ? 'arrow' : 'jsonl';
}

/** The first six bytes of the file, or fewer. */
async function magic(path: string): Promise<string> {
  try {
    const file = await openFile(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
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
