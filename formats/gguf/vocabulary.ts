/** @file A GGUF file's vocabulary: tokens, what each is for, and the merges that a sentencepiece vocabulary implies. */
import { complain } from '../../foundation/index.js';
import type { Metadata } from './metadata.js';

/** What a token is for: llama.cpp's numbers. */
export const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Tokens by id. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: ArrayLike<number>;
  /** undefined where the file has none. */
  readonly scores: ArrayLike<number> | undefined;
  readonly merges: readonly string[] | undefined;
}

/** @throws GGUF_TOKENIZER for lists of unequal length or a token that is there twice; GGUF_METADATA, GGUF_TEXT */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const tokens = metadata.texts('tokenizer.ggml.tokens') ?? [];
  const kinds = metadata.numbers('tokenizer.ggml.token_type');
  const scores = metadata.numbers('tokenizer.ggml.scores');
  for (const [name, list] of Object.entries({ token_type: kinds, scores }))
    if (list && list.length !== tokens.length)
      refuse(metadata, `${tokens.length} entries of ${name}, one for each token`, `${list.length}`);
  return {
    tokens,
    kinds: kinds ?? new Uint8Array(tokens.length).fill(KIND.normal),
    scores,
    merges: metadata.texts('tokenizer.ggml.merges'),
  };
}

/** Ids by token, in the order of ids; of tokens that are there twice the first. */
export function idsOf(tokens: readonly string[], has: (id: number) => boolean): Map<string, number> {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    if (has(id) && !ids.has(token)) ids.set(token, id);
  });
  return ids;
}

/** Bounds of what {@link impliedMerges} does; Gemma's quarter of a million pieces take a seventh of them. */
const MOST_MERGES = 2 ** 22;
const MOST_COMPARED = 2 ** 28;

/**
 * Merges that build the pieces of a sentencepiece vocabulary, best first: every way to make a piece from two others, by
 * the piece's score, longer left parts first (what Hugging Face's conversion does).
 * @param scoreOf of a piece, by its id.
 * @returns undefined where the pieces are too many or too long to be a vocabulary.
 */
export function impliedMerges(
  ids: ReadonlyMap<string, number>,
  scoreOf: (id: number) => number,
): readonly (readonly [string, string])[] | undefined {
  let compared = 0;
  const merges: { left: string; right: string; score: number; long: readonly [number, number] }[] = [];
  for (const [piece, id] of ids) {
    compared += piece.length ** 2;
    if (compared > MOST_COMPARED || merges.length > MOST_MERGES) return undefined;
    const characters = Array.from(piece);
    const ways: typeof merges = [];
    let left = '';
    for (let at = 1; at < characters.length; at++) {
      left += characters[at - 1] as string;
      const right = piece.slice(left.length);
      if (ids.has(left) && ids.has(right))
        ways.push({ left, right, score: scoreOf(id), long: [at, characters.length - at] });
    }
    const idOf = (text: string): number => ids.get(text) as number;
    ways.sort((a, b) => idOf(a.left) - idOf(b.left) || idOf(a.right) - idOf(b.right));
    merges.push(...ways);
  }
  merges.sort((a, b) => b.score - a.score || b.long[0] - a.long[0] || b.long[1] - a.long[1]);
  return merges.map(({ left, right }) => [left, right]);
}

/** @throws GGUF_TOKENIZER */
export function refuse(metadata: Metadata, expected: string, got: string): never {
  return complain({
    code: 'GGUF_TOKENIZER',
    owner: metadata.owner,
    expected,
    got,
    hint: 'convert the model again, or use it in Hugging Face format',
  });
}
