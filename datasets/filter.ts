/** @file Which rows a recipe wants, said as conditions on their columns. Knows nothing about tokens. */
import { complain } from '../foundation/index.js';
import { columnAt, describe } from './columns.js';
import type { NumberedRow, Source } from './sources/source.js';

/** A plain value that a column may be compared with. */
export type Comparable = string | number | boolean;

/** Which rows are wanted. */
export type RowFilter = ColumnFilter | RowRange;

/** Rows by their number in the file, counted from 0: what splits a file into rows to train on and rows to hold out. */
export interface RowRange {
  readonly rows: {
    /** The first: 0 if not given. */
    readonly from?: number;
    /** The one after the last: all if not given. */
    readonly to?: number;
  };
}

/** Conditions on one column, all of which must hold. Without a value, only `exists: false`, `notEquals` and `notMatches` hold. */
export interface ColumnFilter {
  /** A column path, as in a mapping: `messages.0.role`. */
  readonly column: string;
  readonly equals?: Comparable;
  readonly notEquals?: Comparable;
  readonly in?: readonly Comparable[];
  /** A regular expression that the text must match somewhere. */
  readonly matches?: string;
  /** One that it must match nowhere. */
  readonly notMatches?: string;
  /** Characters (UTF-16 units) of a text, or items of a list. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Whether there is a value at all. */
  readonly exists?: boolean;
}

/** Filters that were checked against a source. */
export interface Sieve {
  /** Top-level columns that they look at. */
  readonly columns: readonly string[];
  /** @throws DATASET_VALUE_TYPE where a length or a match is asked of something that has none. */
  readonly keeps: (row: NumberedRow) => boolean;
}

/**
 * @param filters all of which must hold.
 * @throws DATASET_COLUMN_MISSING, DATASET_FILTER for a regular expression that is none.
 */
export function sieve(source: Source, filters: readonly RowFilter[]): Sieve {
  const ranges = filters.flatMap((filter) => ('rows' in filter ? [filter.rows] : []));
  const tests = filters.flatMap((filter) => {
    if ('rows' in filter) return [];
    const { column, value } = columnAt(source, 'a filter', filter.column);
    const [matches, notMatches] = [filter.matches, filter.notMatches].map((pattern) =>
      pattern === undefined ? undefined : patternOf(pattern, source.path),
    );
    return [{ filter, column, value, patterns: { matches, notMatches } }];
  });
  return {
    columns: [...new Set(tests.map(({ column }) => column))],
    keeps: ({ row, index }) =>
      ranges.every(({ from = 0, to = Infinity }) => index >= from && index < to) &&
      tests.every(({ filter, value, patterns }) =>
        holds(
          filter,
          value(row),
          patterns,
          () => `dataset ${source.path}, row ${index}, filter on ${filter.column}`,
        ),
      ),
  };
}

function holds(
  filter: ColumnFilter,
  value: unknown,
  { matches, notMatches }: Readonly<Record<'matches' | 'notMatches', RegExp | undefined>>,
  owner: () => string,
): boolean {
  const missing = value === undefined || value === null;
  if (filter.exists !== undefined && filter.exists === missing) return false;
  if (filter.notEquals !== undefined && same(value, filter.notEquals)) return false;
  if (filter.equals !== undefined && !same(value, filter.equals)) return false;
  if (filter.in && !filter.in.some((each) => same(value, each))) return false;
  if (missing)
    return matches === undefined && filter.minLength === undefined && filter.maxLength === undefined;
  if (matches && !matches.test(textIn(value, owner))) return false;
  if (notMatches?.test(textIn(value, owner))) return false;
  const { minLength = 0, maxLength = Infinity } = filter;
  if (filter.minLength === undefined && filter.maxLength === undefined) return true;
  const length = Array.isArray(value) ? value.length : textIn(value, owner).length;
  return length >= minLength && length <= maxLength;
}

function same(value: unknown, wanted: Comparable): boolean {
  return typeof value === 'bigint' ? String(value) === String(wanted) : value === wanted;
}

function textIn(value: unknown, owner: () => string): string {
  if (typeof value === 'string') return value;
  return complain({
    code: 'DATASET_VALUE_TYPE',
    owner: owner(),
    expected: 'text, or a list for a length',
    got: describe(value),
    hint: 'compare such a column with equals or in',
  });
}

function patternOf(source: string, path: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    return complain(
      {
        code: 'DATASET_FILTER',
        owner: `dataset ${path}, filter`,
        expected: 'a regular expression',
        got: source,
        hint: error instanceof Error ? error.message : 'correct it',
      },
      { cause: error },
    );
  }
}
