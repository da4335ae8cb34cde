/** @file What a dataset file is to the rest: columns, and rows that are read group by group. Knows no file format. */
import { complain } from '../../foundation/index.js';

/** One row by column name. Values are plain data: strings, numbers, booleans, lists, records, bytes, null. */
export type Row = Readonly<Record<string, unknown>>;

/** A run of consecutive rows that is read at once: a Parquet row group, a stretch of lines. */
export interface RowGroup {
  /** Index of its first row in the file. */
  readonly start: number;
  readonly rows: number;
}

/** An open dataset file. Holds no rows between reads; memory does not depend on the file's size. */
export interface Source {
  readonly path: string;
  /** Size of the file, to notice that it is another one when a run resumes. */
  readonly bytes: number;
  /** A mark of the content, where whoever holds the file gives one. */
  readonly etag?: string;
  /** How many files it is made of, where not one. */
  readonly files?: number;
  /** Top-level column names. */
  readonly columns: readonly string[];
  /** Their types, for people, where the file says them. */
  readonly types?: readonly string[];
  readonly rows: number;
  /** In file order; together all rows. */
  readonly groups: readonly RowGroup[];
  /** The rows of one group, with these top-level columns. */
  read(group: number, columns: readonly string[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** What tells a source from another one in its place, as plain JSON. */
export function identityOf({ bytes, etag, groups }: Source): readonly unknown[] {
  return [etag === undefined ? bytes : [bytes, etag], groups.map(({ rows }) => rows)];
}

/** A row and its index in the file, counted from 0. */
export interface NumberedRow {
  readonly index: number;
  readonly row: Row;
}

/**
 * Rows of the given groups in the given order, one group read ahead while another is consumed: at most two groups
 * are held at a time.
 * @param order group numbers; by default all, in file order.
 * @param skip rows left out at the start of the first group.
 */
export async function* readGroups(
  source: Source,
  columns: readonly string[],
  order: Iterable<number> = source.groups.keys(),
  skip = 0,
): AsyncGenerator<NumberedRow> {
  const pending = [...order];
  const readNext = (): Promise<readonly Row[]> | undefined => {
    const [next] = pending;
    if (next === undefined) return undefined;
    const read = source.read(next, columns);
    read.catch(() => undefined); // It is reported when awaited; a consumer that leaves early does not await it.
    return read;
  };
  let ahead = readNext();
  for (let from = skip; ahead; from = 0) {
    const start = groupAt(source, pending.shift() as number).start;
    const rows = await ahead;
    ahead = readNext();
    for (let at = from; at < rows.length; at++) yield { index: start + at, row: rows[at] as Row };
  }
}

/**
 * Rows in file order from row `from` on; seeks to the group that holds it.
 * @returns an iterator that stops at the end of the file.
 */
export function rowsFrom(source: Source, columns: readonly string[], from = 0): AsyncGenerator<NumberedRow> {
  const first = source.groups.findIndex((group) => from < group.start + group.rows);
  if (first < 0) return readGroups(source, columns, []);
  const order = source.groups.slice(first).map((_, offset) => first + offset);
  return readGroups(source, columns, order, from - groupAt(source, first).start);
}

/** A group by number. */
export function groupAt(source: Source, group: number): RowGroup {
  return (
    source.groups[group] ??
    complain({
      code: 'DATASET_GROUP',
      owner: `dataset ${source.path}`,
      expected: `a group below ${source.groups.length}`,
      got: `${group}`,
      hint: 'this is a defect in latstream: please report it',
    })
  );
}

/** Group boundaries from the number of rows in each. */
export function groupsOf(counts: readonly number[]): RowGroup[] {
  let start = 0;
  return counts.map((rows) => {
    start += rows;
    return { start: start - rows, rows };
  });
}
