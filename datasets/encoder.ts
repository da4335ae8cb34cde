/** @file Rows to examples, in their order, whoever does the work. Knows nothing about where rows come from. */
import type { ChatTemplate } from './chat.js';
import { encodeRows, type Encoded, type EncoderOptions, type EncoderRow } from './encode.js';
import { encoderThreads } from './encoder.threads.js';

export interface Encoder {
  /** Chunks that are worth encoding at the same time. */
  readonly width: number;
  /**
   * What became of each row, in their order. May be called again before it has answered.
   * @throws ENCODE_THREAD where a thread ends, as for lack of memory, or does not answer.
   */
  encode(rows: readonly EncoderRow[]): Promise<readonly Encoded[]>;
  close(): Promise<void>;
}

/** Rows that are encoded where they are asked for, before threads are started for more: a short job needs none. */
const FEW = 512;

/**
 * An encoder. What it gives does not depend on the number of threads.
 * @param threads that share the work, so that the thread which trains is not held up; 0 for none.
 */
export function createEncoder(template: ChatTemplate, options: EncoderOptions, threads = 1): Encoder {
  const pool = threads > 0 ? encoderThreads(template, options, threads) : undefined;
  let encoded = 0;
  return {
    width: Math.max(1, threads),
    encode: async (rows) => {
      encoded += rows.length;
      return pool && encoded > FEW ? pool.encode(rows) : encodeRows(rows, template, options);
    },
    close: async () => pool?.close(),
  };
}
