/** @file Text of tokens one by one: the same as of all at once, ended by stop strings wherever tokens are cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, TextStream } from '../../../datasets/index.js';
import { byteTokenizer } from '../helpers.js';

const tokenizers = {
  bytes: byteTokenizer(),
  prefixed: byteTokenizer({ prefixed: true }),
  organism: await loadTokenizer('organism/model'),
};
const names = fc.constantFrom('bytes', 'prefixed', 'organism' as keyof typeof tokenizers);
const words = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '\n', 'é', '日', '👩‍🚀', '\u0301'),
  maxLength: 12,
});
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '日', '👩‍🚀'), maxLength: 3 }), {
  maxLength: 3,
});

function firstStop(text: string, stops: readonly string[]): number {
  const found = stops.filter((stop) => stop !== '').map((stop) => text.indexOf(stop));
  return Math.min(...found.filter((at) => at >= 0));
}

describe('TextStream', () => {
  it('any tokens, broken characters and special ones among them, give the text of all at once', () => {
    fc.assert(
      fc.property(names, fc.array(fc.nat(261), { maxLength: 20 }), words, (name, noise, text) => {
        const tokenizer = tokenizers[name];
        const tokens = [...noise, ...tokenizer.encode(text), ...noise];
        const stream = new TextStream(tokenizer);
        let certain = '';
        for (const token of tokens) {
          expect(stream.push(token)).toBe(false);
          expect(stream.certain.startsWith(certain)).toBe(true);
          certain = stream.certain;
        }
        expect(stream.text).toBe(tokenizer.decode(tokens));
        expect(stream.text.replace(/\ufffd+$/u, '')).toBe(certain);
      }),
    );
  });

  it('ends with the first token that completes a stop string, and before the first one in the text', () => {
    fc.assert(
      fc.property(names, words, stops, (name, text, stops) => {
        const tokenizer = tokenizers[name];
        const tokens = tokenizer.encode(text, { specialTokens: false });
        const stream = new TextStream(tokenizer, stops);
        const taken: number[] = [];
        let shown = '';
        const ended = tokens.some((token) => {
          taken.push(token);
          const end = stream.push(token);
          expect(stream.certain.startsWith(shown)).toBe(true);
          shown = stream.certain;
          return end;
        });
        const whole = tokenizer.decode(taken);
        const at = firstStop(whole, stops);
        expect(ended).toBe(Number.isFinite(at));
        expect(firstStop(tokenizer.decode(taken.slice(0, -1)), stops)).toBe(Infinity);
        expect(stream.text).toBe(whole.slice(0, at));
        expect(stream.text.startsWith(shown)).toBe(true);
        if (ended) expect(shown).toBe(stream.text);
      }),
    );
  });

  it('finds a stop string inside a token, behind which a character is not complete', () => {
    const texts = ['one', ' st', 'op\ufffd', 'never'];
    const decode = (ids: readonly number[]): string => ids.map((id) => texts[id]).join('');
    const stream = new TextStream({ decode }, ['p', 'sto']);
    expect([0, 1, 2].map((id) => stream.push(id))).toEqual([false, false, true]);
    expect(stream.text).toBe('one ');
    expect(stream.push(3)).toBe(true);
    expect(stream.text).toBe('one ');
  });

  it('keeps the space behind a special token, where texts lose the one that they begin with', () => {
    const texts = [' one', '', ' two', ' three'];
    const decode = (ids: readonly number[]): string =>
      ids
        .map((id) => texts[id])
        .join('')
        .replace(/^ /, '');
    const stream = new TextStream({ decode });
    const shown = [0, 1, 1, 2, 1, 3].map((id) => {
      stream.push(id);
      return stream.certain;
    });
    expect(shown).toEqual(['one', 'one', 'one', 'one two', 'one two', 'one two three']);
  });

  it('holds back what a stop string may begin with', () => {
    const tokenizer = byteTokenizer();
    const stream = new TextStream(tokenizer, ['\n\nUser']);
    const shown = tokenizer.encode('Hi\n\nUs ok', { specialTokens: false }).map((token) => {
      stream.push(token);
      return stream.certain;
    });
    expect(shown).toEqual(['H', 'Hi', 'Hi', 'Hi', 'Hi', 'Hi', 'Hi\n\nUs ', 'Hi\n\nUs o', 'Hi\n\nUs ok']);
  });
});
