/** @file Laws and complaints of the tokenizer. */
import fc from 'fast-check';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkVocabulary, createTokenizer, loadTokenizer } from '../../../datasets/index.js';
import { byteDefinition, byteTokenizer, temporaryFolder } from '../helpers.js';

const byteVocabulary = (definition: Readonly<Record<string, unknown>>): object =>
  (definition['model'] as { readonly vocab: object }).vocab;

describe('tokenizer', () => {
  it('decodes what it encoded, with or without special tokens around it', () => {
    const tokenizer = byteTokenizer({ addsBos: true });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), (text, specialTokens) => {
        const ids = tokenizer.encode(text, { specialTokens });
        expect(ids[0] === 1).toBe(specialTokens);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(tokenizer.decode(ids, { specialTokens: true })).toBe((specialTokens ? '<s>' : '') + text);
      }),
    );
  });

  it('knows its special tokens, its size, and the text of no tokens', () => {
    const tokenizer = byteTokenizer();
    expect(tokenizer.bos).toEqual({ id: 1, text: '<s>' });
    expect(tokenizer.eos).toEqual({ id: 2, text: '</s>' });
    expect(tokenizer.pad).toEqual({ id: 0, text: '<pad>' });
    expect(tokenizer.size).toBe(262);
    expect(tokenizer.addsBos).toBe(false);
    expect(byteTokenizer({ addsBos: true }).addsBos).toBe(true);
    expect(tokenizer.decode([])).toBe('');
    expect(tokenizer.decode(tokenizer.encode('so , what !'))).toBe('so , what !');
  });

  it('fits a model whose vocabulary is its own or padded, and no other', () => {
    const tokenizer = byteTokenizer();
    for (const vocabulary of [262, 264, 320])
      expect(() => checkVocabulary(tokenizer, vocabulary)).not.toThrow();
    expect(() => checkVocabulary(tokenizer, 261)).toThrow('ids up to 261');
    expect(() => checkVocabulary(tokenizer, 512)).toThrow('only 262');
  });

  it('knows the tokens that its configuration adds, in every way that a configuration may say so', () => {
    const definition = byteDefinition();
    const ids = (config: Record<string, unknown>, text: string): number[] =>
      createTokenizer(definition, config).encode(text, { specialTokens: false });
    expect(ids({}, '<new>')).toHaveLength(5);
    expect(ids({ added_tokens_decoder: { 262: { content: '<new>', special: true } } }, 'a<new>')).toEqual([
      ...ids({}, 'a'),
      262,
    ]);
    // A token of the vocabulary that is named as special is told apart from text; one without an id is not.
    expect(ids({ sep_token: { content: 'ab' } }, 'ab')).toHaveLength(2);
    const whole = {
      ...definition,
      model: { ...(definition['model'] as object), vocab: { ...byteVocabulary(definition), ab: 262 } },
    };
    expect(createTokenizer(whole, {}).encode('xaby')).toHaveLength(4);
    expect(createTokenizer(whole, { image_token: 'ab' }).encode('xaby')).toHaveLength(3);
    expect(createTokenizer(whole, { extra_special_tokens: { wing: 'ab' } }).encode('xaby')).toHaveLength(3);
  });

  it('reads special_tokens_map.json where its configuration lists no added tokens', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(byteDefinition()));
    await writeFile(
      join(folder, 'special_tokens_map.json'),
      JSON.stringify({ bos_token: { content: '<s>' } }),
    );
    await expect(loadTokenizer(folder)).resolves.toMatchObject({ bos: { id: 1 } });
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ bos_token: '</s>' }));
    await expect(loadTokenizer(folder)).resolves.toMatchObject({ bos: { id: 1 } });
    const own = { bos_token: '</s>', added_tokens_decoder: {} };
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(own));
    await expect(loadTokenizer(folder)).resolves.toMatchObject({ bos: { id: 2 } });
  });

  it('ends a text on which a pattern of the file never ends', async () => {
    const folder = await temporaryFolder();
    const normalizer = { type: 'Replace', pattern: { Regex: '((a+)+)+$' }, content: ' ' };
    const endless = { ...byteDefinition(), normalizer };
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(endless));
    const tokenizer = await loadTokenizer(folder, 50);
    expect(tokenizer.encode('ab')).toEqual(createTokenizer(endless, {}).encode('ab'));
    expect(() => tokenizer.encode(`${'a'.repeat(60)}!`)).toThrow(/within 0.05 s/);
  });

  it.each([
    ['pre_tokenizer', { type: 'Metaspace', replacement: [0, 0] }],
    ['normalizer', { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: 'x'.repeat(5000) }] }],
    ['decoder', { type: 'Replace', pattern: { String: 'a' }, content: 7 }],
  ])('refuses a %s that puts in something long, or no text', (part, step) => {
    expect(() => createTokenizer({ ...byteDefinition(), [part]: step }, {})).toThrow(/no short text/);
  });

  it('says which file is missing or broken', async () => {
    const folder = await temporaryFolder();
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'TOKENIZER_MISSING' });
    await writeFile(join(folder, 'tokenizer.json'), '{"model":');
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
    await writeFile(join(folder, 'tokenizer.json'), '{"model":{"type":"Nonsense"}}');
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
  });

  it.each(['null', '[]', '3', '"text"'])('refuses a configuration that is %s', async (content) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(byteDefinition()));
    await writeFile(join(folder, 'tokenizer_config.json'), '{}');
    await expect(loadTokenizer(folder)).resolves.toMatchObject({ size: 262 });
    await writeFile(join(folder, 'tokenizer_config.json'), content);
    await expect(loadTokenizer(folder)).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: expect.stringContaining('tokenizer_config.json') as string,
    });
  });
});
