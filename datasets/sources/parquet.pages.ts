/**
 * @file Where the pages of a Parquet column chunk lie and which row each begins with, so that some rows of a huge row
 * group can be read without the others. Decodes no values.
 */
import type { ColumnChunk, ColumnMetaData, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readOffsetIndex } from 'hyparquet/src/indexes.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, isFlatColumn } from 'hyparquet/src/schema.js';
import type { PageHeader, PageLocation } from 'hyparquet/src/types.js';
import type { ByteSource } from '../../formats/index.js';
import { checkHeader } from './parquet.limits.js';
import { checkPrefixed, compressors, type Leaf } from './parquet.runs.js';

/** Page headers are short, but they may quote the smallest and largest text of their page. */
const WINDOW_BYTES = 2 ** 16;
const MOST_HEADER_BYTES = 2 ** 24;

/**
 * The data pages of a column chunk: from its offset index where the file has one, else by going from page header to
 * page header (and, where rows are lists in pages of version 1, through their repetition levels). A page that begins in
 * the middle of a row counts to the page before it.
 * @param path the column's schema elements from the root.
 * @throws Error where the pages do not hold `rows` rows.
 */
export async function pagesOf(
  bytes: ByteSource,
  chunk: ColumnChunk,
  path: SchemaTree[],
  rows: number,
): Promise<PageLocation[]> {
  const { offset_index_offset: index, offset_index_length: length } = chunk;
  if (index && length) {
    const { buffer } = await bytes.read(Number(index), length);
    return readOffsetIndex({ view: new DataView(buffer), offset: 0 }).page_locations;
  }
  return walkPages(bytes, chunk, path, rows);
}

async function walkPages(
  bytes: ByteSource,
  { meta_data: meta }: ColumnChunk,
  path: SchemaTree[],
  rows: number,
): Promise<PageLocation[]> {
  if (!meta) throw new Error('a column without metadata');
  const leaf = leafOf(meta, path);
  const { start, end } = leaf;
  const window = new Window(bytes, end);
  const pages: PageLocation[] = [];
  let row = 0;
  for (let at = start; at < end;) {
    const { header, length } = await window.headerAt(at);
    const size = length + header.compressed_page_size;
    if (size <= length || at + size > end) throw new Error(`a page at byte ${at} that is cut off`);
    const held = await rowsIn(header, leaf, path, () => bytes.read(at + length, header.compressed_page_size));
    const last = pages.at(-1);
    if (held?.continues && last) last.compressed_page_size += size;
    else if (held)
      pages.push({ offset: BigInt(at), compressed_page_size: size, first_row_index: BigInt(row) });
    row += held?.rows ?? 0;
    at += size;
  }
  if (row !== rows) throw new Error(`pages of ${row} rows where there should be ${rows}`);
  return pages;
}

/** How many rows begin in a page, and whether it begins in the middle of one; undefined for a page without values. */
async function rowsIn(
  header: PageHeader,
  leaf: Leaf,
  path: SchemaTree[],
  read: () => Promise<Uint8Array>,
): Promise<{ readonly rows: number; readonly continues: boolean } | undefined> {
  const { data_page_header: first, data_page_header_v2: second } = header;
  if (second) return { rows: second.num_rows, continues: false };
  if (!first) return undefined;
  const deepest = getMaxRepetitionLevel(path);
  if (isFlatColumn(path) || deepest === 0) return { rows: first.num_values, continues: false };
  checkHeader(header);
  const page = decompressPage(await read(), header.uncompressed_page_size, leaf.codec, compressors);
  const levels = new Uint8Array(first.num_values);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const width = 32 - Math.clz32(deepest);
  checkPrefixed({ view, offset: 0 }, width, levels.length);
  readRleBitPackedHybrid({ view, offset: 0 }, width, levels);
  return { rows: levels.reduce((sum, level) => sum + (level === 0 ? 1 : 0), 0), continues: levels[0] !== 0 };
}

/** A column chunk as its pages are checked. @param path the column's schema elements from the root. */
export function leafOf(meta: ColumnMetaData, path: SchemaTree[]): Leaf {
  const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
  return {
    start,
    end: start + Number(meta.total_compressed_size),
    codec: meta.codec,
    type: meta.type,
    repetition: getMaxRepetitionLevel(path),
    definition: getMaxDefinitionLevel(path),
  };
}

/** Page headers through a window of the file, so that small pages do not cost a read each. */
class Window {
  private start = 0;
  private held = new Uint8Array();

  constructor(
    private readonly bytes: ByteSource,
    private readonly end: number,
  ) {}

  async headerAt(at: number): Promise<{ readonly header: PageHeader; readonly length: number }> {
    for (let size = WINDOW_BYTES; ; size *= 4) {
      const known = at >= this.start && at < this.start + this.held.length;
      if (!known || size > WINDOW_BYTES) {
        this.start = at;
        this.held = await this.bytes.read(at, Math.min(size, this.end - at));
      }
      const offset = at - this.start;
      const reader = { view: new DataView(this.held.buffer, offset), offset: 0 };
      try {
        const header = parquetHeader(reader);
        return { header, length: reader.offset };
      } catch (error) {
        const whole = this.start + this.held.length >= this.end && this.start === at;
        if (!(error instanceof RangeError) || whole || size >= MOST_HEADER_BYTES) throw error;
      }
    }
  }
}
