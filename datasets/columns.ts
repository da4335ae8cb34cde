/** @file Which columns a caller wants, by their own names for them; paths may lead into nested values. Knows no file format. */
import { complain } from '../foundation/index.js';
import type { NumberedRow, Row, Source } from './sources/source.js';

/** A caller's names for columns → column paths: `chosen`, `messages.0.content`, `messages.-1.content` (from the end). */
export type ColumnMapping<K extends string> = Readonly<Record<K, string>>;

/** A mapping that was checked against a source. */
export interface Selection<K extends string> {
  /** Top-level columns to read. */
  readonly columns: readonly string[];
  /** The mapped values of a row. @throws DATASET_VALUE_MISSING where one is null or absent. */
  pick(numbered: NumberedRow): Record<K, unknown>;
}

/**
 * Resolves a mapping. A column's own name may hold dots: the longest matching one counts.
 * @throws DATASET_COLUMN_MISSING, naming the columns that exist.
 */
export function selectColumns<K extends string>(source: Source, mapping: ColumnMapping<K>): Selection<K> {
  const paths = Object.entries<string>(mapping).map(([name, path]) => ({
    name,
    path,
    ...columnAt(source, name, path),
  }));
  return {
    columns: [...new Set(paths.map(({ column }) => column))],
    pick: ({ row, index }) =>
      Object.fromEntries(
        paths.map(({ name, path, value }) => [name, value(row) ?? missingValue(source, index, path)]),
      ) as Record<K, unknown>,
  };
}

/**
 * A text value: a string, or bytes that are UTF-8 (writers that do not annotate their strings).
 * @throws DATASET_VALUE_TYPE otherwise.
 */
export function textOf(value: unknown, owner: string): string {
  if (typeof value === 'string') return value;
  try {
    if (value instanceof Uint8Array) return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    // Not UTF-8: complain below.
  }
  return complain({
    code: 'DATASET_VALUE_TYPE',
    owner,
    expected: 'text',
    got: value instanceof Uint8Array ? 'bytes that are not UTF-8' : describe(value),
    hint: 'map this name to a column of strings',
  });
}

/** Where a path leads: the top-level column to read, and the value in a row (undefined or null where there is none). */
export interface ColumnAt {
  readonly column: string;
  readonly value: (row: Row) => unknown;
}

/**
 * Resolves one path. @param name what it is for, in messages.
 * @throws DATASET_COLUMN_MISSING, naming the columns that exist.
 */
export function columnAt(source: Source, name: string, path: string): ColumnAt {
  const parts = path.split('.');
  for (let length = parts.length; length > 0; length--) {
    const column = parts.slice(0, length).join('.');
    const keys = parts.slice(length);
    if (source.columns.includes(column)) return { column, value: (row) => keys.reduce(child, row[column]) };
  }
  return complain({
    code: 'DATASET_COLUMN_MISSING',
    owner: `dataset ${source.path}`,
    expected: `a column ${path} (mapped to ${name})`,
    got: `columns ${source.columns.join(', ')}`,
    hint: 'map it to one of these columns',
  });
}

/** A value in a message, cut short. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function child(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.at(Number(key)) as unknown;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}

function missingValue(source: Source, index: number, path: string): never {
  return complain({
    code: 'DATASET_VALUE_MISSING',
    owner: `dataset ${source.path}, row ${index}`,
    expected: `a value for ${path}`,
    got: 'none',
    hint: 'fill or remove this row (rows are counted from 0)',
  });
}
