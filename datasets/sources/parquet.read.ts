/** @file Decodes rows of an open Parquet file, column by column. Runs in the reader's thread. */
import {
  parquetMetadataAsync,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
  type SchemaTree,
} from 'hyparquet';
import { parquetReadAsync } from 'hyparquet/src/read.js';
import { assembleAsync } from 'hyparquet/src/rowgroup.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import type { PageLocation, ParquetReadOptions } from 'hyparquet/src/types.js';
import { flatten } from 'hyparquet/src/utils.js';
import type { ByteSource } from '../../formats/index.js';
import { openHandle } from './handles.js';
import { checkPages, checkRows } from './parquet.limits.js';
import { leafOf, pagesOf } from './parquet.pages.js';
import { compressors, type Leaf } from './parquet.runs.js';
import { columnsOf, EXACT_PARSERS, type ParquetColumn } from './parquet.schema.js';

/** Decoded at once, in bytes before compression; a row group of more than twice that is read in parts. */
const PART_BYTES = 2 ** 24;

/** Of a row group: 16 TB of it. */
const MOST_PARTS = 2 ** 20;

/** Rows that are read at once: a row group, or a part of a huge one. */
export interface ParquetPart {
  readonly rowGroup: number;
  /** Its first row in the file, and its number of rows. */
  readonly start: number;
  readonly rows: number;
}

export interface OpenParquet {
  readonly bytes: ByteSource;
  readonly columns: readonly ParquetColumn[];
  readonly parts: readonly ParquetPart[];
  readonly rowGroups: number;
  /** The values of some columns in a part: by column, then row. */
  read(part: number, columns: readonly string[]): Promise<unknown[][]>;
}

/** Opens a Parquet file. @throws Error that says what is wrong with it. */
export async function openParquetFile(path: string, partBytes = PART_BYTES): Promise<OpenParquet> {
  const bytes = await openHandle(path);
  try {
    const file = asAsyncBuffer(bytes);
    const metadata = await parquetMetadataAsync(file, { geoparquet: false });
    checkRows(metadata);
    const columns = columnsOf(metadata);
    const reader = new Reader(bytes, checked(file, leavesOf(metadata)), metadata, columns);
    const parts = partsOf(metadata, partBytes);
    return {
      bytes,
      columns,
      parts,
      rowGroups: metadata.row_groups.length,
      read: (part, names) => reader.read(parts[part] as ParquetPart, names),
    };
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

function partsOf(metadata: FileMetaData, partBytes: number): ParquetPart[] {
  let start = 0;
  return metadata.row_groups.flatMap((group, rowGroup) => {
    const rows = Number(group.num_rows);
    const columns = group.columns.reduce(
      (sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0),
      0,
    );
    const size = Math.max(columns, Number(group.total_byte_size));
    const step =
      size > 2 * partBytes ? Math.max(1, Math.floor((rows * partBytes) / size)) : Math.max(1, rows);
    const count = Math.ceil(rows / step);
    if (count > MOST_PARTS) throw new Error(`a row group of ${rows} rows in ${size} bytes`);
    const first = start;
    start += rows;
    return Array.from({ length: count }, (_, at) => ({
      rowGroup,
      start: first + at * step,
      rows: Math.min(step, rows - at * step),
    }));
  });
}

class Reader {
  private readonly tree: SchemaTree;
  private readonly groupStarts: number[];
  /** By row group, then column path; found when a part of the row group is first read. */
  private readonly pages = new Map<number, Map<string, Promise<PageLocation[]>>>();

  constructor(
    private readonly bytes: ByteSource,
    private readonly file: AsyncBuffer,
    private readonly metadata: FileMetaData,
    private readonly columns: readonly ParquetColumn[],
  ) {
    this.tree = parquetSchema(metadata);
    let start = 0;
    this.groupStarts = metadata.row_groups.map(
      ({ num_rows }) => (start += Number(num_rows)) - Number(num_rows),
    );
  }

  async read(part: ParquetPart, names: readonly string[]): Promise<unknown[][]> {
    const values: unknown[][] = [];
    // One column after the other: a column is large while it is decoded, and small once it is plain.
    for (const name of names) values.push(await this.readColumn(part, name));
    return values;
  }

  private async readColumn(part: ParquetPart, name: string): Promise<unknown[]> {
    const column = this.columns.find((each) => each.name === name);
    if (!column) throw new Error(`no column ${name}`);
    const options = {
      file: this.file,
      metadata: this.metadata,
      columns: [name],
      rowStart: part.start,
      rowEnd: part.start + part.rows,
      compressors,
      utf8: false, // Otherwise binary columns without annotation are decoded as text and corrupted.
      parsers: EXACT_PARSERS,
      pageLocationsByGroup: await this.locations(part, name),
    } as ParquetReadOptions;
    const [group] = parquetReadAsync(options).map((each) => assembleAsync(each, this.tree, EXACT_PARSERS));
    const found = group?.asyncColumns[0];
    if (!group || !found) throw new Error(`no data in column ${name}`);
    const { data, skipped } = await found.data;
    const flat = flatten(data);
    const from = part.start - group.groupStart - skipped;
    if (flat.length < from + part.rows)
      throw new Error(
        `${Math.max(0, flat.length - from)} values where there should be ${part.rows} (column ${name})`,
      );
    return Array.from({ length: part.rows }, (_, at) => column.plain(flat[from + at]));
  }

  /** Where the pages of a column are, by row group; only for a part of a row group. */
  private async locations(
    part: ParquetPart,
    name: string,
  ): Promise<Record<string, PageLocation[]>[] | undefined> {
    const group = this.metadata.row_groups[part.rowGroup];
    if (!group || part.rows === Number(group.num_rows)) return undefined;
    const known = this.pages.get(part.rowGroup) ?? new Map<string, Promise<PageLocation[]>>();
    this.pages.set(part.rowGroup, known);
    const found: Record<string, PageLocation[]> = {};
    for (const chunk of group.columns) {
      const path = chunk.meta_data?.path_in_schema ?? [];
      if (path[0] !== name) continue;
      const key = path.join('.');
      const pages =
        known.get(key) ?? pagesOf(this.bytes, chunk, getTreePath(this.tree, path), Number(group.num_rows));
      known.set(key, pages);
      found[key] = await pages;
    }
    const byGroup: Record<string, PageLocation[]>[] = [];
    byGroup[part.rowGroup] = found;
    return byGroup;
  }
}

function leavesOf(metadata: FileMetaData): Leaf[] {
  const tree = parquetSchema(metadata);
  return metadata.row_groups
    .flatMap((group) => group.columns)
    .flatMap(({ meta_data: meta }) => (meta ? [leafOf(meta, getTreePath(tree, meta.path_in_schema))] : []));
}

/** The same file; what is read of it behind the metadata are pages of its column chunks. */
function checked(file: AsyncBuffer, leaves: readonly Leaf[]): AsyncBuffer {
  return {
    byteLength: file.byteLength,
    async slice(start, end) {
      const bytes = await file.slice(start, end);
      for (const leaf of leaves) {
        const [from, to] = [Math.max(start, leaf.start), Math.min(start + bytes.byteLength, leaf.end)];
        if (from < to) checkPages(new Uint8Array(bytes, from - start, to - from), leaf);
      }
      return bytes;
    },
  };
}

function asAsyncBuffer(bytes: ByteSource): AsyncBuffer {
  return {
    byteLength: bytes.size,
    slice: async (start, end = bytes.size) => (await bytes.read(start, Math.max(0, end - start))).buffer,
  };
}
