/** @file Tokenizers from GGUF metadata against Hugging Face's, under every way of splitting. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createTokenizer, type JsonObject } from '../../../datasets/index.js';
import { openGguf } from '../../../formats/index.js';
import { hubTokenizer, hubTokenizerConfig } from '../../../formats/gguf/tokenizer.js';
import { ggufBytes, type Entry } from '../../helpers/gguf.js';

interface Known {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly merges?: readonly string[];
  readonly scores?: readonly number[];
  /** Ids by text, by way of splitting. */
  readonly cases: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
}

/** See tests/python/gguf_tokenizers.py. */
const known = JSON.parse(readFileSync('tests/fixtures/gguf/tokenizers.json', 'utf8')) as Record<
  'gpt2' | 'llama',
  Known
>;

async function tokenizerOf(kind: 'gpt2' | 'llama', more: Readonly<Record<string, Entry>>) {
  const { tokens, types, merges, scores } = known[kind];
  const { metadata } = await openGguf(
    ggufBytes({
      'general.architecture': 'llama',
      'tokenizer.ggml.model': kind,
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': Int32Array.from(types),
      ...(merges && { 'tokenizer.ggml.merges': merges }),
      ...(scores && { 'tokenizer.ggml.scores': Float32Array.from(scores) }),
      ...more,
    }),
  );
  return createTokenizer(hubTokenizer(metadata) as JsonObject, hubTokenizerConfig(metadata));
}

const byteLevel = (more: Readonly<Record<string, Entry>>) =>
  tokenizerOf('gpt2', { 'tokenizer.ggml.bos_token_id': 0, 'tokenizer.ggml.eos_token_id': 1, ...more });
const pieces = (more: Readonly<Record<string, Entry>>) =>
  tokenizerOf('llama', {
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    ...more,
  });

describe('a byte-level tokenizer', () => {
  it.each(Object.keys(known.gpt2.cases))('splits as %s does', async (pre) => {
    const tokenizer = await byteLevel({ 'tokenizer.ggml.pre': pre });
    for (const [text, ids] of Object.entries(known.gpt2.cases[pre]!))
      expect([text, tokenizer.encode(text)]).toEqual([text, ids]);
  });

  it('gives texts back', async () => {
    const tokenizer = await byteLevel({ 'tokenizer.ggml.pre': 'smollm' });
    for (const text of Object.keys(known.gpt2.cases['smollm']!))
      expect(tokenizer.decode(tokenizer.encode(text), { specialTokens: true })).toBe(text);
  });

  it('adds BOS and EOS where the file says so', async () => {
    const pre = { 'tokenizer.ggml.pre': 'llama-bpe' };
    const [plain] = [await byteLevel({ ...pre, 'tokenizer.ggml.add_bos_token': false })];
    const both = await byteLevel({
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.add_bos_token': true,
      'tokenizer.ggml.add_eos_token': true,
    });
    expect([plain.addsBos, both.addsBos]).toEqual([false, true]);
    expect(both.encode('a')).toEqual([0, ...plain.encode('a'), 1]);
    expect(plain.bos).toEqual({ id: 0, text: '<|begin|>' });
  });

  it('knows by its architecture how an old file splits, and else refuses to guess', async () => {
    const old = await byteLevel({ 'general.architecture': 'gptneox' });
    expect(old.encode("it's 12")).toEqual(
      (await byteLevel({ 'tokenizer.ggml.pre': 'olmo' })).encode("it's 12"),
    );
    await expect(byteLevel({})).rejects.toMatchObject({ code: 'GGUF_TOKENIZER' });
    await expect(byteLevel({ 'tokenizer.ggml.pre': 'brand-new' })).rejects.toThrow(/got "brand-new"/);
  });
});

describe('a sentencepiece tokenizer', () => {
  it.each([
    ['prefixed', { 'general.architecture': 'llama' }],
    ['gemma2', { 'general.architecture': 'gemma2', 'tokenizer.ggml.add_space_prefix': false }],
  ])('builds pieces from what its scores imply (%s)', async (name, more) => {
    const tokenizer = await pieces(more);
    for (const [text, ids] of Object.entries(known.llama.cases[name]!)) {
      // Another BOS that the text brings is one too many.
      const [first, second, ...rest] = ids;
      expect([text, tokenizer.encode(text)]).toEqual([text, first === second ? [first, ...rest] : ids]);
    }
  });

  it('gives texts back, the blank that it put before them less', async () => {
    const tokenizer = await pieces({});
    for (const text of ['hello', ' hello', 'a   b', '🙂', 'x\n\ny'])
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it("lets Phi-3's special tokens swallow the blanks behind them", async () => {
    const [phi, llama] = [await pieces({ 'general.architecture': 'phi3' }), await pieces({})];
    expect(phi.encode('a</s>  b')).toEqual(phi.encode('a</s>b'));
    expect(llama.encode('a</s>  b')).not.toEqual(llama.encode('a</s>b'));
  });
});

describe('hubTokenizer', () => {
  const refused = async (more: Readonly<Record<string, Entry>>): Promise<void> => {
    const { metadata } = await openGguf(
      ggufBytes({ 'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': 'gpt-2', ...more }),
    );
    expect(() => hubTokenizer(metadata)).toThrow(expect.objectContaining({ code: 'GGUF_TOKENIZER' }));
  };

  it('is undefined where the file has none', async () => {
    expect(hubTokenizer((await openGguf(ggufBytes({}))).metadata)).toBeUndefined();
  });

  it('refuses kinds that it does not know, and lists that do not fit', async () => {
    await refused({ 'tokenizer.ggml.model': 'rwkv' });
    await refused({ 'tokenizer.ggml.tokens': ['a'] });
    await refused({ 'tokenizer.ggml.tokens': ['a'], 'tokenizer.ggml.merges': ['a'] });
    await refused({ 'tokenizer.ggml.tokens': ['a'], 'tokenizer.ggml.token_type': Int32Array.of(1, 1) });
    await refused({ 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': ['a'] });
    const endless = {
      'tokenizer.ggml.tokens': ['a'.repeat(2 ** 21)],
      'tokenizer.ggml.scores': Float32Array.of(0.5),
    };
    await refused({ 'tokenizer.ggml.model': 'llama', ...endless });
  });
});
