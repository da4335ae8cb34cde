/** @file Trains a byte-level BPE tokenizer and writes it in Hugging Face form. Knows nothing about models. */

/** What the generator writes as `tokenizer.json`, as far as it uses the format. */
export interface TokenizerFiles {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
}

export const SPECIAL_TOKENS = ['<pad>', '<s>', '</s>', '<|user|>', '<|assistant|>'] as const;
const [PAD, BOS, EOS] = SPECIAL_TOKENS;

/** One turn: `<s><|user|>request<|assistant|>answer</s>`. */
export const CHAT_TEMPLATE =
  '{{ bos_token }}{% for message in messages %}' +
  "{{ '<|' + message['role'] + '|>' + message['content'] }}" +
  "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** GPT-2's splitting pattern, as the format's `ByteLevel` step applies it. */
const WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** GPT-2's table from bytes to printable characters. */
export function byteAlphabet(): readonly string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(printable ? byte : next++);
  });
}

/** A distinct word of the text as its current pieces, and how often it occurs. */
interface Word {
  pieces: string[];
  readonly count: number;
}

function countWords(texts: Iterable<string>): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const alphabet = byteAlphabet();
  return [...counts].map(([word, count]) => ({
    pieces: [...new TextEncoder().encode(word)].map((byte) => alphabet[byte] as string),
    count,
  }));
}

/** The most frequent neighbours; ties go to the pair that sorts first, so that the result has no hidden order. */
function mostFrequentPair(vocabulary: readonly Word[]): [string, string] | null {
  const counts = new Map<string, number>();
  for (const { pieces, count } of vocabulary) {
    for (let at = 0; at + 1 < pieces.length; at++) {
      const pair = `${pieces[at] ?? ''} ${pieces[at + 1] ?? ''}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best: string | null = null;
  for (const [pair, count] of counts) {
    const most = best === null ? 0 : (counts.get(best) ?? 0);
    if (count > most || (count === most && best !== null && pair < best)) best = pair;
  }
  return best === null ? null : (best.split(' ') as [string, string]);
}

function merge(pieces: readonly string[], [left, right]: readonly [string, string]): string[] {
  const merged: string[] = [];
  for (let at = 0; at < pieces.length; at++) {
    const here = pieces[at] ?? '';
    const joined = here === left && pieces[at + 1] === right;
    merged.push(joined ? left + right : here);
    if (joined) at++;
  }
  return merged;
}

/**
 * Trains byte-level BPE (Sennrich et al. 2016, on bytes as in GPT-2) until the vocabulary has `size` entries or
 * nothing is left to merge. Deterministic: a function of the multiset of words.
 * @returns the merges in order.
 */
export function trainMerges(texts: Iterable<string>, size: number): readonly (readonly [string, string])[] {
  const vocabulary = countWords(texts);
  const merges: [string, string][] = [];
  while (SPECIAL_TOKENS.length + 256 + merges.length < size) {
    const pair = mostFrequentPair(vocabulary);
    if (pair === null) break;
    merges.push(pair);
    for (const word of vocabulary) word.pieces = merge(word.pieces, pair);
  }
  return merges;
}

/** `tokenizer.json` and `tokenizer_config.json` of a vocabulary trained on `texts`. */
export function buildTokenizer(texts: Iterable<string>, size: number, context: number): TokenizerFiles {
  const merges = trainMerges(texts, size);
  const entries = [...SPECIAL_TOKENS, ...byteAlphabet(), ...merges.map((pair) => pair.join(''))];
  const vocab = Object.fromEntries(entries.map((token, id) => [token, id]));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIAL_TOKENS.map((content, id) => ({
        ...{
          id,
          content,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      })),
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab,
        merges,
      },
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: BOS,
      eos_token: EOS,
      pad_token: PAD,
      clean_up_tokenization_spaces: false,
      model_max_length: context,
      chat_template: CHAT_TEMPLATE,
    },
  };
}
