/**
 * @file A file of records one after the other (lines, CSV, a JSON list) as a source: one pass finds where groups of them
 * start, so that any can be read without those before it. Knows no format: a cutter tells where records end.
 */
import { complain } from '../../foundation/index.js';
import type { ByteSource } from '../../formats/index.js';
import { groupsOf, type Row, type Source } from './source.js';
import { openUnpacked } from './unpacked.js';

const CHUNK_BYTES = 2 ** 20;
const GROUP_ROWS = 1024;
const GROUP_BYTES = 2 ** 23;
/** Longest record: what a reader must hold to read one. */
const RECORD_BYTES = 2 ** 28;

/** At the start of a file; no part of its first record. */
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** Told where a record ends. @param end just behind it, in the file. @param lines that it spans, for messages. */
export type Cut = (end: number, blank: boolean, lines?: number) => void;

/** Finds the ends of records. */
export interface Cutter {
  /** Takes consecutive chunks; `offset` is the first byte's place in the file. */
  take(chunk: Uint8Array, offset: number): void;
  /** Called behind the last byte: a last record may lack its mark. */
  end(size: number): void;
}

/** Where a group of records lies. */
export interface Stretch {
  readonly start: number;
  end: number;
  rows: number;
  /** Number of its first line, counted from 1. */
  readonly line: number;
}

/** How records of a format are found and read. */
export interface RecordFormat {
  cutter(cut: Cut, owner: string): Cutter;
  /** The rows of a stretch from its text. @param owner says where in messages. */
  readonly parse: (text: string, stretch: Stretch, owner: string) => readonly Row[];
  /** Where the columns are those of a header: made from the first record, which then is no row. */
  readonly header?: (
    text: string,
    owner: string,
  ) => Pick<RecordFormat, 'parse'> & { readonly columns: readonly string[] };
}

/**
 * Opens a file of records, compressed or not.
 * @param groupRows rows read at once.
 * @throws DATASET_RECORD where a record is too long; DATASET_ENCODING where text is not UTF-8; and what parsing throws.
 */
export async function openRecords(
  path: string,
  format: RecordFormat,
  groupRows = GROUP_ROWS,
): Promise<Source> {
  const bytes = await openUnpacked(path);
  try {
    const { header, stretches } = await findStretches(bytes, format, groupRows);
    const known = header && format.header?.(await textOf(bytes, header), `dataset ${path}`);
    const { parse } = known ?? format;
    const read = async (group: number): Promise<readonly Row[]> => {
      const stretch = stretches[group];
      if (!stretch) return [];
      return parse(await textOf(bytes, stretch), stretch, `dataset ${path}`);
    };
    const columns = known?.columns ?? [...new Set((await read(0)).flatMap((row) => Object.keys(row)))];
    return {
      path,
      bytes: bytes.size,
      ...(bytes.etag !== undefined && { etag: bytes.etag }),
      columns,
      rows: stretches.reduce((sum, stretch) => sum + stretch.rows, 0),
      groups: groupsOf(stretches.map((stretch) => stretch.rows)),
      read: async (group, names) =>
        (await read(group)).map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null]))),
      close: () => bytes.close(),
    };
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

interface Found {
  readonly header: Stretch | undefined;
  readonly stretches: Stretch[];
}

async function findStretches(bytes: ByteSource, format: RecordFormat, groupRows: number): Promise<Found> {
  const stretches: Stretch[] = [];
  let header: Stretch | undefined;
  const marked = Buffer.from(await bytes.read(0, Math.min(3, bytes.size))).equals(BYTE_ORDER_MARK);
  let start = marked ? BYTE_ORDER_MARK.length : 0;
  let line = 1;
  const cutter = format.cutter((end, blank, lines = 1) => {
    const last = stretches.at(-1);
    if (end - start > RECORD_BYTES) tooLong(bytes.path, line);
    if (!blank) {
      const record = { start, end, rows: 1, line };
      if (format.header && !header) header = record;
      else if (last && last.rows < groupRows && end - last.start < GROUP_BYTES) {
        last.end = end;
        last.rows++;
      } else stretches.push(record);
    }
    start = end;
    line += lines;
  }, `dataset ${bytes.path}`);
  for (let offset = start; offset < bytes.size; offset += CHUNK_BYTES) {
    cutter.take(await bytes.read(offset, Math.min(CHUNK_BYTES, bytes.size - offset)), offset);
    if (offset - start > RECORD_BYTES) tooLong(bytes.path, line);
  }
  cutter.end(bytes.size);
  return { header, stretches };
}

async function textOf(bytes: ByteSource, { start, end, line }: Stretch): Promise<string> {
  const content = await bytes.read(start, end - start);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch (error) {
    return complain(
      {
        code: 'DATASET_ENCODING',
        owner: `dataset ${bytes.path}, lines from ${line}`,
        expected: 'text in UTF-8',
        got: 'bytes that are not UTF-8',
        hint: 'convert the file, for example with iconv -t utf-8',
      },
      { cause: error },
    );
  }
}

function tooLong(path: string, line: number): never {
  return complain({
    code: 'DATASET_RECORD',
    owner: `dataset ${path}, line ${line}`,
    expected: `records of at most ${RECORD_BYTES / 2 ** 20} MB`,
    got: 'a longer one',
    hint: 'put a newline behind each record, close every quote, or split the record',
  });
}
