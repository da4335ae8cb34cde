/** @file Rows to examples, in their order, whoever does the work. Knows nothing about where rows come from. */
import type { ChatTemplate } from './chat/chat.js';
import { encodeRows, type Encoded, type EncoderOptions, type EncoderRow } from './encode.js';
import { encoderThreads } from './encoder.threads.js';
import { rowKey } from './row-key.js';
import type { TokenCache, TokenCachePlace } from './token-cache.js';

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

/** Who does the work; what it gives depends on none of it. */
export interface EncoderWork {
  /** Threads that share it, so that the thread which trains is not held up: default 1; 0 for none. */
  readonly threads?: number;
  /** Where what was encoded is kept for later: default nowhere. */
  readonly cache?: TokenCachePlace;
}

/** Rows that are encoded where they are asked for, before threads and cache are opened for more: a short job needs none. */
const FEW = 512;

type Encode = Encoder['encode'];

export function createEncoder(
  template: ChatTemplate,
  options: EncoderOptions,
  { threads = 1, cache }: EncoderWork = {},
): Encoder {
  const here: Encode = async (rows) => encodeRows(rows, template, options);
  const pool = threads > 0 ? encoderThreads(template, options, threads) : undefined;
  const many: Encode = pool ? (rows) => pool.encode(rows) : here;
  let opened: Promise<TokenCache | undefined> | undefined;
  let encoded = 0;
  return {
    width: Math.max(1, threads),
    encode: async (rows) => {
      encoded += rows.length;
      if (encoded <= FEW) return here(rows);
      opened ??= cache && openCache(cache, template, options);
      const kept = await opened;
      return kept ? encodeCached(rows, kept, many) : many(rows);
    },
    close: async () => {
      await pool?.close();
      (await opened)?.close();
    },
  };
}

/** A run does not fail for a cache that cannot be had. */
async function openCache(
  place: TokenCachePlace,
  template: ChatTemplate,
  options: EncoderOptions,
): Promise<TokenCache | undefined> {
  try {
    // Few runs keep tokens: Arrow is loaded for those.
    const { TokenCache } = await import('./token-cache.js');
    return await TokenCache.open(place, template, options);
  } catch (error) {
    place.note?.(
      `no token cache in ${place.directory}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

/** Encodes what the cache has not, and adds it. */
async function encodeCached(
  rows: readonly EncoderRow[],
  cache: TokenCache,
  encode: Encode,
): Promise<readonly Encoded[]> {
  const keyed = rows.map((row) => {
    const key = rowKey(row.values);
    return { row, key, found: cache.get(key) };
  });
  const missing = keyed.filter(({ found }) => !found);
  const made = missing.length > 0 ? await encode(missing.map(({ row }) => row)) : [];
  const results = new Map(missing.map(({ row }, at) => [row, made[at] as Encoded]));
  await cache.add(
    missing.flatMap(({ row, key }) => {
      const result = results.get(row);
      return result && 'example' in result ? [{ key, example: result.example }] : [];
    }),
  );
  return keyed.map(({ row, found }) => found ?? (results.get(row) as Encoded));
}
