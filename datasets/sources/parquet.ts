/** @file A Parquet file as a source, decoded in a thread of its own. Knows nothing about what rows mean. */
import { orComplain } from './or-complain.js';
import { parquetHandle } from './parquet.thread.js';
import { groupsOf, type Row, type Source } from './source.js';

/**
 * Opens a Parquet file. A group is a row group, or a part of a huge one: what is held does not depend on how the file
 * was written. Close it: the thread lives until then (an idle one does not keep the process alive).
 * @param partBytes decoded at once, before compression; a row group of more than twice that is read in parts.
 * @throws DATASET_PARQUET where the file is truncated or not Parquet.
 */
export async function openParquet(path: string, partBytes?: number): Promise<Source> {
  const handle = parquetHandle();
  const complaint = {
    code: 'DATASET_PARQUET',
    owner: `dataset ${path}`,
    expected: 'a complete Parquet file',
    hint: 'download or write the file again; a file whose writing was interrupted has no footer and cannot be read',
  };
  try {
    const question = { kind: 'open', path, ...(partBytes !== undefined && { partBytes }) } as const;
    const { opened } = await orComplain(complaint, () => handle.ask(question));
    if (!opened) throw new Error('the reader gave no answer');
    return {
      path,
      bytes: opened.bytes,
      ...(opened.etag !== undefined && { etag: opened.etag }),
      columns: opened.columns.map(({ name }) => name),
      types: opened.columns.map(({ type }) => type),
      rows: opened.counts.reduce((sum, rows) => sum + rows, 0),
      groups: groupsOf(opened.counts),
      read: async (part, columns) => {
        const answer = await orComplain(complaint, () => handle.ask({ kind: 'read', part, columns }));
        return asRows(columns, answer.values ?? [], opened.counts[part] ?? 0);
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function asRows(columns: readonly string[], values: readonly (readonly unknown[])[], length: number): Row[] {
  return Array.from({ length }, (_, at) =>
    Object.fromEntries(columns.map((name, column) => [name, values[column]?.[at] ?? null])),
  );
}
