/** @file A file of JSON lines, or of one JSON list, as a source. Knows nothing about what rows mean. */
import { complain, parseJson } from '../../foundation/index.js';
import { filledLines, lineCutter } from './lines.js';
import { openRecords, type Cut, type Cutter, type RecordFormat } from './records.js';
import type { Row, Source } from './source.js';

/**
 * Opens a file of JSON lines (one object a line; blank lines are skipped). Columns are those of the first group.
 * @param groupRows rows read at once.
 * @throws DATASET_JSON with the line number, where a line is not an object in JSON.
 */
export function openJsonl(path: string, groupRows?: number): Promise<Source> {
  return openRecords(path, jsonLines, groupRows);
}

/** Opens a file of one JSON list of objects, of any size. @throws DATASET_JSON where it is none. */
export function openJsonList(path: string, groupRows?: number): Promise<Source> {
  return openRecords(path, jsonList, groupRows);
}

const jsonLines: RecordFormat = {
  cutter: lineCutter,
  parse(text, stretch, owner) {
    const lines = text.split('\n').map((content, at) => ({ content, line: stretch.line + at }));
    const filled = new Set(filledLines(text));
    return lines
      .filter(({ content }) => filled.has(content.replace(/\r$/, '')))
      .map(({ content, line }) => parseObject(content, `${owner}, line ${line}`));
  },
};

const jsonList: RecordFormat = {
  cutter: (cut, owner) => new ElementCutter(cut, owner),
  parse(text, stretch, owner) {
    const where = `${owner}, elements from line ${stretch.line}`;
    const elements = parse(`[${text.replace(/[,\s]*$/, '')}]`, where);
    if (!Array.isArray(elements) || elements.length !== stretch.rows)
      return bad(where, 'something else between the commas');
    return elements.map((element, at) => object(element, `${where}, number ${at + 1} of these`));
  },
};

const [NEWLINE, QUOTE, COMMA, LIST, BACKSLASH, LIST_END, RECORD, RECORD_END] = [
  10, 34, 44, 91, 92, 93, 123, 125,
];

/** Cuts the elements of a list apart, by brackets and quotes alone; whether they are JSON is seen when they are read. */
class ElementCutter implements Cutter {
  /** 0 outside of the list, 1 in it, more in an element that holds others. */
  private depth = 0;
  private opened = false;
  private inText = false;
  private escaped = false;
  private blank = true;
  private lines = 0;

  constructor(
    private readonly cut: Cut,
    private readonly owner: string,
  ) {}

  take(chunk: Uint8Array, offset: number): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.inText) this.seeText(byte);
      else if (byte > 32) this.see(byte, offset + at + 1);
      else if (byte === NEWLINE) this.lines++;
    }
  }

  end(size: number): void {
    if (this.depth > 0) bad(this.owner, 'a list that does not end');
    this.finish(size, this.blank);
  }

  private seeText(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inText = false;
  }

  /** @param next offset just behind the byte. */
  private see(byte: number, next: number): void {
    if (this.depth === 0 && !this.opened && byte === LIST) {
      this.opened = true;
      this.depth = 1;
      this.finish(next, true);
    } else if (this.depth === 1 && byte === COMMA) this.finish(next, this.blank);
    else if (this.depth === 1 && byte === LIST_END) {
      this.depth = 0;
      this.finish(next - 1, this.blank);
      this.finish(next, true);
    } else {
      this.blank = false;
      if (byte === QUOTE) this.inText = true;
      else if (this.depth > 0 && (byte === LIST || byte === RECORD)) this.depth++;
      else if (this.depth > 1 && (byte === LIST_END || byte === RECORD_END)) this.depth--;
    }
  }

  private finish(end: number, blank: boolean): void {
    this.cut(end, blank, this.lines);
    this.lines = 0;
    this.blank = true;
  }
}

function parseObject(content: string, owner: string): Row {
  return object(parse(content, owner), owner);
}

function object(value: unknown, owner: string): Row {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  return bad(owner, Array.isArray(value) ? 'a list' : String(value));
}

function parse(content: string, owner: string): unknown {
  try {
    return parseJson(content);
  } catch (error) {
    return bad(owner, error instanceof Error ? error.message : 'something else', error);
  }
}

function bad(owner: string, got: string, cause?: unknown): never {
  return complain(
    {
      code: 'DATASET_JSON',
      owner,
      expected: 'one JSON object',
      got,
      hint: 'write one object a line, or one list of objects; a file that ends in the middle was cut off',
    },
    { cause },
  );
}
