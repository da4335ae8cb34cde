/** @file Cutters of lines and of paragraphs, and plain text as rows of one column. Knows nothing about files. */
import type { Cut, Cutter, RecordFormat } from './records.js';

const NEWLINE = 10;

/** A record per line; lines of white space alone are blank. */
export function lineCutter(cut: Cut): Cutter {
  let blank = true;
  return {
    take(chunk, offset) {
      for (let at = 0; at < chunk.length;) {
        const newline = chunk.indexOf(NEWLINE, at);
        const end = newline < 0 ? chunk.length : newline;
        blank &&= isBlank(chunk, at, end);
        if (newline >= 0) {
          cut(offset + newline + 1, blank);
          blank = true;
        }
        at = end + 1;
      }
    },
    end: (size) => cut(size, blank),
  };
}

/** A record per run of lines that are not blank. */
function paragraphCutter(cut: Cut): Cutter {
  let [lines, end] = [0, 0];
  const finish = (): void => {
    if (lines > 0) cut(end, false, lines);
    lines = 0;
  };
  const inner = lineCutter((lineEnd, blank) => {
    if (!blank) {
      lines++;
      end = lineEnd;
      return;
    }
    finish();
    cut(lineEnd, true);
  });
  return {
    take: (chunk, offset) => inner.take(chunk, offset),
    end(size) {
      inner.end(size);
      finish();
    },
  };
}

/** The lines of a text that are not blank, without their ends. */
export function filledLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !BLANK.test(line))
    .map((line) => line.replace(/\r$/, ''));
}

/** Plain text: a row per line that is not blank, in a column `text`. */
export const textLines: RecordFormat = {
  cutter: lineCutter,
  parse: (text) => filledLines(text).map((line) => ({ text: line })),
};

/** Plain text: a row per paragraph (lines up to a blank one), in a column `text`. */
export const paragraphs: RecordFormat = {
  cutter: paragraphCutter,
  parse(text) {
    const found: string[][] = [];
    let open = false;
    for (const line of text.split('\n')) {
      const blank = BLANK.test(line);
      if (!blank && !open) found.push([]);
      if (!blank) found.at(-1)?.push(line.replace(/\r$/, ''));
      open = !blank;
    }
    return found.map((lines) => ({ text: lines.join('\n') }));
  },
};

/** As {@link isBlank} says it of bytes. */
const BLANK = /^[\x00-\x20]*$/;

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((bytes[at] ?? 0) > 32) return false;
  return true;
}
