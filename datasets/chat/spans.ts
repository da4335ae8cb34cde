/** @file From places in a text to places among its tokens. Knows nothing about conversations. */
import type { Tokenizer } from './tokenizer.js';

/** Tokens from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A tokenized text. */
export interface Tokenized {
  readonly text: string;
  readonly tokens: readonly number[];
}

/**
 * Tokens of a text that goes on after a prompt. Tokenized together where that leaves the prompt's tokens as they are:
 * then they are what the whole text's tokens are. Otherwise a token of the whole would straddle the two, and the rest
 * is tokenized by itself, behind a line break, so that it is not taken for the start of a text.
 * @param encode without BOS of the tokenizer's own.
 */
export function continuation(
  encode: (text: string) => readonly number[],
  whole: string,
  prompt: Tokenized,
): readonly number[] {
  const joint = encode(whole);
  if (startsWith(joint, prompt.tokens)) return joint.slice(prompt.tokens.length);
  const rest = whole.slice(prompt.text.length);
  const [lineBreak, behind] = [encode('\n'), encode(`\n${rest}`)];
  return startsWith(behind, lineBreak) ? behind.slice(lineBreak.length) : encode(rest);
}

/** The tokens that lie wholly in a part of a text; those that straddle its ends are not among them. */
export function spanOf(
  tokenizer: Tokenizer,
  encode: (text: string) => readonly number[],
  whole: Tokenized,
  part: Span,
): Span {
  const reach = (count: number): number =>
    tokenizer.decode(whole.tokens.slice(0, count), { specialTokens: true }).length;
  const offset = reach(whole.tokens.length) - whole.text.length; // A BOS that is not in the text.
  const boundary = (place: number, straddling: 'in' | 'out'): number => {
    const before = encode(whole.text.slice(0, place));
    let count = commonPrefix(before, whole.tokens);
    if (count === before.length) return count;
    while (count < whole.tokens.length && reach(count) < place + offset) count++;
    return straddling === 'out' && reach(count) > place + offset ? count - 1 : count;
  };
  const start = boundary(part.start, 'in');
  return { start, end: Math.max(start, boundary(part.end, 'out')) };
}

/** The length of what two texts begin with together, in whole tokens. */
export function commonText(tokenizer: Tokenizer, a: string, b: string): number {
  // No more than could be the same, and the token that it ends in.
  const longest = Math.min(a.length, b.length) + tokenizer.longestToken;
  const [x, y] = [a, b].map((text) => tokenizer.encode(text.slice(0, longest), { specialTokens: false }));
  const tokens = x?.slice(0, commonPrefix(x, y ?? [])) ?? [];
  return tokenizer.decode(tokens, { specialTokens: true }).length;
}

/** How many items two texts or lists begin with together. */
export function commonPrefix(a: string | readonly number[], b: string | readonly number[]): number {
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return same;
}

function startsWith(tokens: readonly number[], beginning: readonly number[]): boolean {
  return commonPrefix(tokens, beginning) === beginning.length;
}
