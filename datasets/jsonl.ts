/** @file A file of JSON lines as a source: one pass finds where groups of lines start. Knows nothing about what rows mean. */
import { open, type FileHandle } from 'node:fs/promises';
import { complain } from '../foundation/index.js';
import { groupsOf, type Row, type Source } from './source.js';

const CHUNK_BYTES = 2 ** 20;
const GROUP_ROWS = 1024;
const GROUP_BYTES = 2 ** 23;
const NEWLINE = 10;

/** Where a group of lines lies. */
interface Stretch {
  readonly start: number;
  end: number;
  rows: number;
  /** Number of its first line, counted from 1. */
  readonly line: number;
}

/**
 * Opens a file of JSON lines (one object a line; blank lines are skipped). Columns are those of the first group.
 * @param groupRows rows read at once.
 * @throws DATASET_JSON with the line number, where a line is not an object in JSON.
 */
export async function openJsonl(path: string, groupRows = GROUP_ROWS): Promise<Source> {
  const file = await open(path, 'r');
  try {
    const stretches = await findStretches(file, groupRows);
    const read = async (group: number): Promise<Row[]> => {
      const stretch = stretches[group];
      return stretch ? readStretch(file, stretch, path) : [];
    };
    const columns = [...new Set((await read(0)).flatMap((row) => Object.keys(row)))];
    return {
      path,
      bytes: (await file.stat()).size,
      columns,
      rows: stretches.reduce((sum, stretch) => sum + stretch.rows, 0),
      groups: groupsOf(stretches.map((stretch) => stretch.rows)),
      read: async (group, names) =>
        (await read(group)).map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null]))),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function findStretches(file: FileHandle, groupRows: number): Promise<Stretch[]> {
  const stretches: Stretch[] = [];
  let lineStart = 0;
  let line = 1;
  let blank = true;
  const endLine = (end: number): void => {
    const last = stretches.at(-1);
    if (!blank) {
      if (last && last.rows < groupRows && lineStart - last.start < GROUP_BYTES) {
        last.end = end;
        last.rows++;
      } else stretches.push({ start: lineStart, end, rows: 1, line });
    }
    lineStart = end;
    line++;
    blank = true;
  };
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let offset = 0; ;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, offset);
    if (bytesRead === 0) {
      endLine(offset);
      return stretches;
    }
    const bytes = chunk.subarray(0, bytesRead);
    for (let at = 0; at < bytesRead;) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytesRead : newline;
      blank &&= isBlank(bytes, at, end);
      if (newline >= 0) endLine(offset + newline + 1);
      at = end + 1;
    }
    offset += bytesRead;
  }
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((bytes[at] ?? 0) > 32) return false;
  return true;
}

async function readStretch(file: FileHandle, stretch: Stretch, path: string): Promise<Row[]> {
  const bytes = Buffer.alloc(stretch.end - stretch.start);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, stretch.start);
  return decode(bytes.subarray(0, bytesRead), `dataset ${path}, lines from ${stretch.line}`)
    .split('\n')
    .map((content, offset) => ({ content, line: stretch.line + offset }))
    .filter(({ content }) => content.trim() !== '')
    .map(({ content, line }) => parseLine(content, `dataset ${path}, line ${line}`));
}

/** UTF-8 without a byte order mark. */
function decode(bytes: Uint8Array, owner: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return badLine(owner, 'bytes that are not UTF-8', error);
  }
}

function parseLine(content: string, owner: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    return badLine(owner, error instanceof Error ? error.message : 'something else', error);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  return badLine(owner, Array.isArray(value) ? 'a list' : String(value));
}

function badLine(owner: string, got: string, cause?: unknown): never {
  return complain(
    {
      code: 'DATASET_JSON',
      owner,
      expected: 'one JSON object',
      got,
      hint: 'write one object a line; a last line that is cut off means that writing was interrupted',
    },
    { cause },
  );
}
