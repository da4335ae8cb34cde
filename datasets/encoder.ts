/** @file Rows to examples, in their order, whoever does the work. Knows nothing about where rows come from. */
import { LatstreamError } from '../foundation/index.js';
import type { ChatTemplate } from './chat.js';
import { tokenizeRow, type Example, type TokenizeOptions } from './pairs.js';

/** The mapped values of a row. */
export interface EncoderRow {
  /** Its number in its file. */
  readonly index: number;
  /** Who complains: dataset and row. */
  readonly owner: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What became of a row: an example; none, where it was too long and such rows are dropped; or what was wrong with it. */
export type Encoded = { readonly example: Example | undefined } | { readonly error: Error };

export interface Encoder {
  /** What became of each row, in their order. A row that is wrong spoils no other. */
  encode(rows: readonly EncoderRow[]): Promise<readonly Encoded[]>;
  close(): Promise<void>;
}

export type EncoderOptions = Omit<TokenizeOptions, 'owner'>;

/** An encoder that works where it is called. */
export function createEncoder(template: ChatTemplate, options: EncoderOptions): Encoder {
  return {
    encode: async (rows) => rows.map((row) => encodeRow(row, template, options)),
    close: async () => undefined,
  };
}

function encodeRow({ values, owner }: EncoderRow, template: ChatTemplate, options: EncoderOptions): Encoded {
  try {
    return { example: tokenizeRow(values, template, { ...options, owner }) };
  } catch (error) {
    if (error instanceof LatstreamError) return { error };
    throw error;
  }
}
