/** @file Laws of boundaries among tokens, with a tokenizer whose tokens straddle them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../../../datasets/index.js';
import { commonText, continuation, spanOf } from '../../../datasets/chat/spans.js';
import { byteDefinition } from '../helpers.js';

/** Merges `ab`, `aba`, `bb` and `ca`. */
function merging(): ReturnType<typeof createTokenizer> {
  const definition = byteDefinition();
  const model = definition['model'] as { readonly vocab: Readonly<Record<string, number>> };
  const merged = ['ab', 'aba', 'bb', 'ca'].map((token, at) => [token, 262 + at] as const);
  const merges = ['a b', 'ab a', 'b b', 'c a'];
  const vocab = { ...model.vocab, ...Object.fromEntries(merged) };
  return createTokenizer({ ...definition, model: { ...model, vocab, merges } }, {});
}

const tokenizer = merging();
const encode = (text: string): number[] => tokenizer.encode(text, { specialTokens: false });
const decode = (tokens: readonly number[]): string => tokenizer.decode(tokens, { specialTokens: true });
const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n', '</s>'), maxLength: 14 });

describe('spanOf', () => {
  it('holds the tokens that lie wholly in a part of a text, all of them and no other', () => {
    fc.assert(
      fc.property(letters, letters, letters, (before, inside, after) => {
        const text = before + inside + after;
        const part = { start: before.length, end: before.length + inside.length };
        const tokens = encode(text);
        const ends = tokens.map((_, at) => decode(tokens.slice(0, at + 1)).length);
        const wholly = [...tokens.keys()].filter(
          (at) => (ends[at - 1] ?? 0) >= part.start && ends[at]! <= part.end,
        );
        const { start, end } = spanOf(tokenizer, encode, { text, tokens }, part);
        expect(Array.from({ length: end - start }, (_, at) => start + at)).toEqual(wholly);
      }),
      { numRuns: 300 },
    );
  });
});

describe('continuation', () => {
  it('goes on from the tokens of the prompt: together they say the whole, as the whole is tokenized where nothing straddles', () => {
    fc.assert(
      fc.property(letters, letters, (before, after) => {
        const prompt = { text: before, tokens: encode(before) };
        const all = [...prompt.tokens, ...continuation(encode, before + after, prompt)];
        expect(decode(all)).toBe(before + after);
        const whole = encode(before + after);
        const straddles = !whole.some((_, at) => decode(whole.slice(0, at)) === before) && after !== '';
        if (
          !straddles &&
          JSON.stringify(whole.slice(0, prompt.tokens.length)) === JSON.stringify(prompt.tokens)
        )
          expect(all).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });
});

describe('commonText', () => {
  it('is what two texts begin with together, in whole tokens of both', () => {
    expect(commonText(tokenizer, 'cacab', 'cacb')).toBe(3);
    expect(commonText(tokenizer, 'abc', 'abac')).toBe(0);
    expect(commonText(tokenizer, '\n</s>a', '\n</s>b')).toBe(5);
    expect(commonText(tokenizer, '', 'a')).toBe(0);
  });
});
