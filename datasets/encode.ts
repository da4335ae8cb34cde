/** @file Encodes rows where it is called, each within a time limit. Knows nothing about threads or where rows come from. */
import { complain, LatstreamError } from '../foundation/index.js';
import type { ChatTemplate } from './chat/chat.js';
import { TimeUp, withinTime } from './deadline.js';
import type { Example, TokenizeOptions } from './example.js';
import { tokenizeRow } from './pairs.js';

/** The mapped values of a row. */
export interface EncoderRow {
  /** Its number in its file. */
  readonly index: number;
  /** Who complains: dataset and row. */
  readonly owner: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What became of a row: an example; none, where it was too long and such rows are dropped; or what was wrong with it. */
export type Encoded = { readonly example: Example | undefined } | { readonly error: LatstreamError };

export type EncoderOptions = Omit<TokenizeOptions, 'owner'>;

/** Rows of a chunk together; one usually takes a thousandth of a second. */
const MILLISECONDS = 15_000;

/**
 * What became of each row, in their order. A row that is wrong spoils no other, except that those behind one that
 * takes too long are not tried.
 */
export function encodeRows(
  rows: readonly EncoderRow[],
  template: ChatTemplate,
  options: EncoderOptions,
  milliseconds = MILLISECONDS,
): Encoded[] {
  const done: Encoded[] = [];
  // A machine that slept has used its time up without working: whoever is late is tried once more.
  for (const attempt of ['first', 'last'] as const)
    try {
      withinTime(milliseconds, () => {
        for (const row of rows.slice(done.length)) done.push(encodeRow(row, template, options));
      });
      return done;
    } catch (error) {
      if (!(error instanceof TimeUp)) throw error;
      if (attempt === 'last') return [...done, ...rows.slice(done.length).map((row) => tooSlow(row, error))];
    }
  return done;
}

function encodeRow({ values, owner }: EncoderRow, template: ChatTemplate, options: EncoderOptions): Encoded {
  return orComplaint(() => ({ example: tokenizeRow(values, template, { ...options, owner }) }));
}

function tooSlow({ owner }: EncoderRow, { complaint }: TimeUp): Encoded {
  return orComplaint(() =>
    complain({
      code: 'ENCODE_TIME',
      owner,
      expected: 'a text and a chat template that take a thousandth of a second',
      got: `not ${complaint.expected}`,
      hint: 'shorten this row (long texts without spaces are slow in some tokenizers), or look at loops and patterns in the template',
    }),
  );
}

function orComplaint(act: () => Encoded): Encoded {
  try {
    return act();
  } catch (error) {
    if (error instanceof LatstreamError) return { error };
    throw error;
  }
}
