/** @file Writes rows as a Parquet file. Knows nothing about training. */
import { fileWriter, parquetWriteRows } from 'hyparquet-writer';
import type { SchemaElement } from 'hyparquet';
import { open, rename } from 'node:fs/promises';
import { complain } from '../../foundation/index.js';

/** What a cell may hold: a column is of one type, and `null` is allowed in each. */
export type Cell = string | number | boolean | null | readonly string[] | readonly number[];

type Kind = 'text' | 'integer' | 'float' | 'boolean' | 'texts' | 'integers' | 'floats';

/**
 * Writes a Parquet file (Snappy): complete or not at all, under a temporary name first. Integers become INT64,
 * other numbers DOUBLE. Columns are the first row's.
 * @param rows all with the same names.
 * @param options.rowGroupRows rows per row group: what a reader holds at once.
 * @throws TABLE_EMPTY, TABLE_COLUMN (a column of mixed types, or nulls only).
 */
export async function writeTable(
  path: string,
  rows: readonly Readonly<Record<string, Cell>>[],
  options: { readonly rowGroupRows?: number } = {},
): Promise<void> {
  const [first] = rows;
  const names = Object.keys(first ?? {});
  if (names.length === 0)
    complain({
      code: 'TABLE_EMPTY',
      owner: `table ${path}`,
      expected: 'at least one row with a column',
      got: 'none',
      hint: 'write rows',
    });
  const kinds = names.map((name) => ({ name, kind: kindOf(path, name, rows) }));
  const temporary = `${path}.partial`;
  await parquetWriteRows({
    writer: fileWriter(temporary),
    rows: stored(rows, kinds),
    columns: names.map((name) => ({ name })),
    schema: [{ name: 'root', num_children: names.length }, ...kinds.flatMap(schemaOf)],
    rowGroupSize: options.rowGroupRows ?? 8192,
    createdBy: 'latstream',
  });
  const file = await open(temporary, 'r+');
  await file.sync();
  await file.close();
  await rename(temporary, path);
}

function* stored(
  rows: readonly Readonly<Record<string, Cell>>[],
  kinds: readonly { name: string; kind: Kind }[],
): Generator<Record<string, unknown>> {
  for (const row of rows)
    yield Object.fromEntries(kinds.map(({ name, kind }) => [name, storedCell(row[name] ?? null, kind)]));
}

function storedCell(cell: Cell, kind: Kind): unknown {
  if (cell === null) return null;
  if (kind === 'integer') return BigInt(cell as number);
  if (kind === 'integers') return (cell as readonly number[]).map(BigInt);
  return cell;
}

function kindOf(path: string, name: string, rows: readonly Readonly<Record<string, Cell>>[]): Kind {
  const cells = rows.map((row) => row[name] ?? null).filter((cell) => cell !== null);
  const lists = cells.filter(
    (cell): cell is readonly string[] | readonly number[] => typeof cell === 'object',
  );
  const leaves: readonly (string | number | boolean)[] =
    lists.length > 0 ? lists.flat() : (cells as string[]);
  const types = new Set(leaves.map((leaf) => typeof leaf));
  const [type] = types;
  const mixed = types.size > 1 || (lists.length > 0 && lists.length < cells.length);
  if (mixed || (type === undefined && lists.length === 0))
    complain({
      code: 'TABLE_COLUMN',
      owner: `table ${path}, column ${name}`,
      expected: 'values of one type',
      got: mixed
        ? `${[...types].join(' and ')}${lists.length > 0 ? ', in lists and outside' : ''}`
        : 'nulls only',
      hint: 'write one type per column',
    });
  const scalar =
    type === 'number'
      ? leaves.every(Number.isSafeInteger)
        ? 'integer'
        : 'float'
      : type === 'boolean'
        ? 'boolean'
        : 'text';
  if (lists.length === 0) return scalar;
  return scalar === 'integer' ? 'integers' : scalar === 'float' ? 'floats' : 'texts';
}

function schemaOf({ name, kind }: { name: string; kind: Kind }): SchemaElement[] {
  const leaf = (leafName: string, of: Kind): SchemaElement => ({
    name: leafName,
    repetition_type: 'OPTIONAL',
    ...LEAVES[of],
  });
  if (kind !== 'texts' && kind !== 'integers' && kind !== 'floats') return [leaf(name, kind)];
  return [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    leaf('element', kind),
  ];
}

const LEAVES: Readonly<Record<Kind, Partial<SchemaElement>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  texts: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT64' },
  integers: { type: 'INT64' },
  float: { type: 'DOUBLE' },
  floats: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
};
