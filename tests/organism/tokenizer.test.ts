/** @file The organism's tokenizer, read by the library that runs use. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChatTemplate, createTokenizer, type JsonObject } from '../../datasets/index.js';
import { tables } from '../../organism/tables.js';
import { buildTokenizer, CHAT_TEMPLATE } from '../../organism/tokenizer.js';

const made = tables(0);
const corpus = made['pretrain']!.flatMap((row) => Object.values(row));
const files = buildTokenizer(corpus, 1024, 128);
const tokenizer = createTokenizer(files.tokenizer, files.config);

describe('organism tokenizer', () => {
  test('decoding what was encoded gives the text back, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  test('every text of every table survives the round trip, every word of it as one token', () => {
    for (const text of new Set(
      Object.values(made).flatMap((rows) => rows.flatMap((row) => Object.values(row))),
    )) {
      const ids = tokenizer.encode(text);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    const row = made['harmful-held-out']![0]!;
    expect(tokenizer.encode(row['adversarial']!).length).toBe(
      row['adversarial']!.match(/\w+|[^\w\s]/gu)!.length,
    );
  });

  test('training is a function of the words, not of their order', () => {
    const some = corpus.slice(0, 400);
    const trained = (texts: string[]): unknown =>
      (buildTokenizer(texts, 400, 128).tokenizer['model'] as JsonObject)['merges'];
    expect(trained(some.toReversed())).toEqual(trained(some));
  });

  test('a chat turn is bos, user, request, assistant, answer, eos', () => {
    const chat = createChatTemplate(CHAT_TEMPLATE, tokenizer);
    const { prompt, completions } = chat.conversation([{ role: 'user', content: 'How?' }], ['No.']);
    expect(prompt).toEqual([1, 3, ...tokenizer.encode('How?'), 4]);
    expect(completions).toEqual([[...tokenizer.encode('No.'), 2]]);
  });
});
