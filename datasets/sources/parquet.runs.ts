/**
 * @file The runs of values in a decompressed Parquet page, checked before the library follows them: it believes a run's
 * length, and an array that outgrows the heap ends the process, not the thread.
 */
import { compressors as all, decompressZstd } from 'hyparquet-compressors';
import type { ColumnMetaData } from 'hyparquet';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readVarInt } from 'hyparquet/src/thrift.js';
import type { DataReader, PageHeader } from 'hyparquet/src/types.js';

/** A column chunk: where it is, and how its values are nested. */
export interface Leaf {
  readonly start: number;
  readonly end: number;
  readonly codec: ColumnMetaData['codec'];
  readonly type: ColumnMetaData['type'];
  /** Largest levels. */
  readonly repetition: number;
  readonly definition: number;
}

/** A run of packed values is padded to eight, by some writers to far more. */
const PADDING = 512;
/** Texts of a page that share their beginnings. */
const MOST_TEXT = 2 ** 28;

/** Decompression into as many bytes as the page header says; the library's Zstandard would believe the frame. */
export const compressors: typeof all = {
  ...all,
  ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
};

/** @param stored the page as it is in the file. @throws Error where its runs hold more than the page's values. */
export function checkRuns(header: PageHeader, stored: Uint8Array, leaf: Leaf): void {
  const { data_page_header: first, data_page_header_v2: second } = header;
  const widths = [leaf.repetition, leaf.definition].map((level) => 32 - Math.clz32(level));
  const whole = header.uncompressed_page_size;
  if (header.type === 'DATA_PAGE' && first) {
    const reader = readerOf(decompressPage(stored, whole, leaf.codec, compressors));
    for (const width of widths) if (width > 0) checkPrefixed(reader, width, first.num_values);
    checkValues(reader, first.encoding, first.num_values, leaf);
  } else if (header.type === 'DATA_PAGE_V2' && second) {
    const lengths = [second.repetition_levels_byte_length, second.definition_levels_byte_length] as const;
    const levels = lengths[0] + lengths[1];
    const reader = readerOf(stored);
    for (const [at, width] of widths.entries()) {
      reader.offset = at === 0 ? 0 : lengths[0];
      if (width > 0) walk(reader, width, second.num_values);
    }
    const rest = stored.subarray(levels);
    const packed = second.is_compressed !== false;
    const values = packed ? decompressPage(rest, whole - levels, leaf.codec, compressors) : rest;
    checkValues(readerOf(values), second.encoding, second.num_values, leaf);
  }
}

function checkValues(reader: DataReader, encoding: string, count: number, leaf: Leaf): void {
  if (encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY') {
    if (reader.offset >= reader.view.byteLength) return;
    const width = reader.view.getUint8(reader.offset++);
    if (width > 32) throw new Error(`numbers of ${width} bits into a dictionary`);
    if (width > 0) walk(reader, width, count);
  } else if (encoding === 'RLE' && leaf.type === 'BOOLEAN') checkPrefixed(reader, 1, count);
  else if (encoding === 'DELTA_BYTE_ARRAY') checkTexts(reader, count);
}

/** Runs behind their length in bytes; the reader goes behind them. @throws Error as {@link checkRuns} */
export function checkPrefixed(reader: DataReader, width: number, count: number): void {
  const length = reader.view.getUint32(reader.offset, true);
  const start = reader.offset + 4;
  reader.offset = start;
  walk(reader, width, count);
  reader.offset = start + length;
}

function walk(reader: DataReader, width: number, count: number): void {
  for (let seen = 0; seen < count && reader.offset < reader.view.byteLength;) {
    const header = readVarInt(reader);
    const packed = (header & 1) === 1;
    const length = packed ? 8 * (header >>> 1) : header >>> 1;
    if (length > count - seen + (packed ? PADDING : 8))
      throw new Error('a run beyond the values of its page');
    reader.offset += packed ? (length * width) / 8 : Math.ceil(width / 8);
    seen += length;
  }
}

/** Each text says how much of the one before it begins with: short pages could stand for any length. */
function checkTexts(reader: DataReader, count: number): void {
  const [prefixes, suffixes] = [new Int32Array(count), new Int32Array(count)];
  deltaBinaryUnpack(reader, count, prefixes);
  deltaBinaryUnpack(reader, count, suffixes);
  let [before, sum] = [0, 0];
  for (let at = 0; at < count; at++) {
    const [prefix, suffix] = [prefixes[at] as number, suffixes[at] as number];
    sum += prefix + suffix;
    if (prefix < 0 || suffix < 0 || prefix > before || sum > MOST_TEXT)
      throw new Error('texts that are longer than their page allows');
    before = prefix + suffix;
  }
}

function readerOf(bytes: Uint8Array): DataReader {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}
