/** @file The text of a small table, all at once. */
import { selectColumns, textOf, type ColumnMapping } from './columns.js';
import { sieve, type RowFilter } from './filter.js';
import { openSource } from './sources/open.js';
import { rowsFrom } from './sources/source.js';

export interface ReadRowsOptions {
  /** Most rows, of those that pass the filters. */
  readonly limit?: number;
  /** Rows of the file that are passed over first. */
  readonly offset?: number;
  /** All must hold. */
  readonly filter?: readonly RowFilter[];
}

/**
 * The mapped text columns of a small file, such as an evaluation set, all at once.
 * @param options.limit at most so many rows of those that pass the filters; reading stops there.
 * @throws as {@link openSource}, {@link selectColumns} and {@link textOf} do.
 */
export async function readRows<K extends string>(
  path: string,
  columns: ColumnMapping<K>,
  options: ReadRowsOptions = {},
): Promise<Record<K, string>[]> {
  const source = await openSource(path);
  try {
    const selection = selectColumns(source, columns);
    const wanted = sieve(source, options.filter ?? []);
    const read = [...new Set([...selection.columns, ...wanted.columns])];
    const rows: Record<K, string>[] = [];
    const limit = options.limit ?? Infinity;
    if (limit <= 0) return rows;
    for await (const numbered of rowsFrom(source, read, options.offset ?? 0)) {
      if (!wanted.keeps(numbered)) continue;
      const values = Object.entries(selection.pick(numbered)).map(([name, value]) => [
        name,
        textOf(value, `dataset ${path}, row ${numbered.index}, ${name}`),
      ]);
      rows.push(Object.fromEntries(values) as Record<K, string>);
      if (rows.length >= limit) break;
    }
    return rows;
  } finally {
    await source.close();
  }
}
