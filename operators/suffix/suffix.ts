/** @file Tokens of an attacker's choice at the end of a request, as they arrive through the chat template. No model. */
import { behind, type Message, type Tokenizer } from '../../datasets/index.js';
import { complain, permutation } from '../../foundation/index.js';

/** How conversations become tokens. */
export interface Chat {
  readonly tokenizer: Tokenizer;
  /** Tokens that a model completes with the assistant's answer. */
  readonly promptTokens: (messages: readonly Message[]) => readonly number[];
}

/** A conversation with a place for a suffix. */
export interface Suffix {
  /** Tokens around it, whatever it is. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** A suffix that says nothing: one token, repeated. */
  readonly filler: readonly number[];
  /** Whether these tokens, written out behind the request, are read as themselves. */
  survives(tokens: readonly number[]): boolean;
}

/** Fillers that are tried: in any vocabulary most words survive being repeated. */
const TRIED = 200;

/**
 * The place of a suffix of so many tokens behind a request.
 * @throws SUFFIX_LOST where no suffix comes out of the template as it went in.
 */
export function suffixOf({ tokenizer, promptTokens }: Chat, request: string, size: number): Suffix {
  const read = (tokens: readonly number[]): readonly number[] =>
    promptTokens([{ role: 'user', content: behind(request, tokenizer.decode(tokens)) }]);
  // Where two fillers make the only difference is where suffixes stand.
  let first: { readonly filler: readonly number[]; readonly whole: readonly number[] } | undefined;
  for (const token of fillers(tokenizer)) {
    const filler = Array.from({ length: size }, () => token);
    const whole = read(filler);
    if (first) {
      const start = placeBetween(first, { filler, whole });
      if (start !== undefined) {
        const [before, after] = [whole.slice(0, start), whole.slice(start + size)];
        const expected = (tokens: readonly number[]): readonly number[] => [...before, ...tokens, ...after];
        const survives = (tokens: readonly number[]): boolean => same(read(tokens), expected(tokens));
        if (survives(first.filler)) return { before, after, filler: first.filler, survives };
      }
    } else if (holdsRun(whole, token, size)) first = { filler, whole };
  }
  return complain({
    code: 'SUFFIX_LOST',
    owner: 'suffix search',
    expected: `a chat template and tokenizer that keep ${size} tokens behind a request as they are`,
    got: `none of ${TRIED} repeated words survived`,
    hint: 'leave out what searches suffixes for this model: softPrompt, gcg and autoprompt of an evaluation, pool and proxy of a training',
  });
}

/** Tokens that people can type: some text, without control characters. In the order of their ids. */
export function plainTokens(tokenizer: Tokenizer): readonly number[] {
  const known = plain.get(tokenizer);
  if (known) return known;
  const found = Array.from({ length: tokenizer.size }, (_, id) => id).filter((id) => {
    const text = tokenizer.decode([id]);
    return text.trim() !== '' && !/[\p{C}\uFFFD]/u.test(text);
  });
  plain.set(tokenizer, found);
  return found;
}
const plain = new WeakMap<Tokenizer, readonly number[]>();

function fillers(tokenizer: Tokenizer): number[] {
  const tokens = plainTokens(tokenizer);
  const order = permutation(tokens.length, 0, 'suffix-filler');
  return [...order.subarray(0, TRIED)].map((at) => tokens[at] as number);
}

interface Filled {
  readonly filler: readonly number[];
  readonly whole: readonly number[];
}

/** Where the two differ, if that is exactly where their fillers stand. */
function placeBetween(a: Filled, b: Filled): number | undefined {
  if (a.whole.length !== b.whole.length) return undefined;
  const start = a.whole.findIndex((token, at) => token !== b.whole[at]);
  const end = start + a.filler.length;
  const placed = ({ whole, filler }: Filled): boolean => same(whole.slice(start, end), filler);
  return start >= 0 && placed(a) && placed(b) && same(a.whole.slice(end), b.whole.slice(end))
    ? start
    : undefined;
}

function holdsRun(tokens: readonly number[], token: number, size: number): boolean {
  let run = 0;
  return tokens.some((each) => (run = each === token ? run + 1 : 0) >= size);
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, at) => token === b[at]);
}
