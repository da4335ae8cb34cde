/** @file What the pages of a Parquet file may ask for: their headers, checked before the library allocates by them. */
import type { FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { checkRuns, type Leaf } from './parquet.runs.js';
import type { PageHeader } from 'hyparquet/src/types.js';

/** Values of some pages of a column that are read together; a part of a row group has far fewer. */
const MOST_VALUES = 2 ** 24;
/** Bytes of these pages before compression. */
const MOST_BYTES = 2 ** 30;
const MOST_ROWS = 2 ** 40;

/**
 * Checks the headers of consecutive pages, up to what is no page: some writers put other things behind the last one, and
 * the library, which stops before, refuses them too.
 * @param bytes from the start of a page of the column chunk on.
 * @throws Error where a page is cut off, or where pages say that they hold more than can be.
 */
export function checkPages(bytes: Uint8Array, leaf: Leaf): void {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const values = new Budget('values', MOST_VALUES);
  const sizes = new Budget('bytes', MOST_BYTES);
  for (let header = pageAt(reader); header; header = pageAt(reader)) {
    const { compressed_page_size: size, uncompressed_page_size: whole, data_page_header_v2: second } = header;
    sizes.spend(whole);
    values.spend(ownPart(header)?.num_values ?? 0);
    if (header.type === 'DATA_PAGE_V2' && second) checkSecond(second, whole);
    if (!(size >= 0 && reader.offset + size <= bytes.byteLength)) throw new Error('a page that is cut off');
    checkRuns(header, bytes.subarray(reader.offset, reader.offset + size), leaf);
    reader.offset += size;
  }
}

/** The same for what one header asks for. @throws as {@link checkPages} */
export function checkHeader(header: PageHeader): void {
  new Budget('bytes', MOST_BYTES).spend(header.uncompressed_page_size);
  new Budget('values', MOST_VALUES).spend(ownPart(header)?.num_values ?? 0);
}

interface Reader {
  readonly view: DataView;
  offset: number;
}

/** The page header at the reader, which goes behind it; undefined where there is none. */
function pageAt(reader: Reader): PageHeader | undefined {
  try {
    const header = parquetHeader(reader);
    return ownPart(header) && header;
  } catch {
    return undefined;
  }
}

function ownPart(header: PageHeader): { readonly num_values: number } | undefined {
  if (header.type === 'DATA_PAGE') return header.data_page_header;
  if (header.type === 'DATA_PAGE_V2') return header.data_page_header_v2;
  return header.type === 'DICTIONARY_PAGE' ? header.dictionary_page_header : undefined;
}

/** A header of version 2 says more, which could disagree. */
function checkSecond(header: NonNullable<PageHeader['data_page_header_v2']>, bytes: number): void {
  const { num_values: values, num_nulls: nulls, num_rows: rows } = header;
  const levels = [header.repetition_levels_byte_length, header.definition_levels_byte_length] as const;
  const fits = levels.every((length) => length >= 0) && levels[0] + levels[1] <= bytes;
  if (!fits || !(nulls >= 0 && nulls <= values && rows >= 0 && rows <= values))
    throw new Error('a page header that contradicts itself');
}

/** @throws Error where row groups hold a number of rows that no file can. */
export function checkRows(metadata: FileMetaData): void {
  for (const { num_rows: rows } of metadata.row_groups)
    if (!(rows >= 0n && rows <= BigInt(MOST_ROWS))) throw new Error(`a row group of ${rows} rows`);
}

class Budget {
  private spent = 0;

  constructor(
    private readonly what: string,
    private readonly most: number,
  ) {}

  spend(count: number): void {
    this.spent += count;
    if (!(count >= 0 && this.spent <= this.most))
      throw new Error(`pages of ${this.spent} ${this.what}, more than ${this.most}`);
  }
}
