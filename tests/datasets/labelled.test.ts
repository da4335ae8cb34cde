/** @file Tokens with labels, running text, and texts that must be absent: from rows to examples and batches. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  pack,
  PLAIN_TEMPLATE,
  tokenizeRow,
  trainingBatches,
  type Cursor,
  type OpenSource,
  type TokenizeOptions,
  type TrainingDataConfig,
} from '../../datasets/index.js';
import { byteTokenizer, CountingSource, labelContexts, take } from './helpers.js';

const tokenizer = byteTokenizer();
const template = createChatTemplate(PLAIN_TEMPLATE, tokenizer);
const made = (values: Record<string, unknown>, options: Partial<TokenizeOptions> = {}) =>
  tokenizeRow(values, template, { context: 8, owner: 'row', ...options });

describe('labelled rows', () => {
  it('predict every token for the adversary, and every label for the defender, from the same states', () => {
    const token = fc.integer({ min: 1, max: 90 });
    const row = fc
      .array(fc.tuple(token, fc.oneof(token, fc.constant(-100))), { minLength: 2, maxLength: 8 })
      .filter((places) => places.slice(1).some(([, label]) => label >= 0));
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('left', 'right'),
        (rows, padding) => {
          const examples = rows.map((places) =>
            made({ tokens: places.map(([id]) => id), labels: places.map(([, label]) => label) })!,
          );
          const batch = pack(examples, { padding, attacked: 'prompt' });
          const wanted = (of: (place: readonly [number, number]) => number) =>
            rows.flatMap((places, at) =>
              places
                .map((place, position) => ({
                  at,
                  position,
                  target: of(place),
                  before: places.slice(0, position),
                }))
                .filter(({ position, target }) => position > 0 && target >= 0),
            );
          for (const [completion, places] of [
            ['adversarial', wanted(([id]) => id)],
            ['desired', wanted(([, label]) => label)],
          ] as const) {
            const got = labelContexts(batch).filter((label) => label.completion === completion);
            expect(got.map(({ row: at, target }) => ({ at, target }))).toEqual(
              places.map(({ at, target }) => ({ at, target })),
            );
            got.forEach(({ visible, weight }, at) => {
              const { before } = places[at]!;
              // Everything that a state sees is attacked, each token by the vector of its position.
              expect(visible).toEqual(before.map(([id], position) => `${position}:${id}:${position}`));
              expect(weight).toBeCloseTo(1 / places.length, 6);
            });
          }
        },
      ),
    );
  });

  it('are refused where tokens and labels are no lists of ids of one length', () => {
    const failure = (tokens: unknown, labels: unknown) => () => made({ tokens, labels });
    expect(failure([1, 2], [1])).toThrow('row: expected as many labels as tokens, 2, got 1');
    expect(failure([1], [1])).toThrow('at least two tokens');
    for (const [tokens, labels] of [
      [
        [tokenizer.size, 1],
        [1, 1],
      ],
      [
        [-100, 1],
        [1, 1],
      ],
      [
        [1, 1],
        [-1, 1],
      ],
      [
        [1, 1],
        [0.5, 1],
      ],
      ['a', [1]],
    ])
      expect(failure(tokens, labels)).toThrow(/row, (tokens|labels): expected/);
  });

  it('longer than the context are errors, dropped or cut', () => {
    const values = { tokens: [1, 2, 3], labels: [4n, 5n, 6n] };
    expect(() => made(values, { context: 2 })).toThrow('at most 2 tokens');
    expect(made(values, { context: 2, overflow: 'drop' })).toBeUndefined();
    expect(made(values, { context: 2, overflow: 'cut' })).toEqual({
      prompt: [1, 2],
      desired: [],
      labels: [4, 5],
    });
    expect(made(values)).toMatchObject({ labels: [4, 5, 6] });
  });
});

describe('running text', () => {
  const bos = tokenizer.bos!.id;
  const ids = (text: string) => tokenizer.encode(text, { specialTokens: false });

  it('begins after BOS, once, and is cut, dropped or refused where it is long', () => {
    expect(made({ adversarial: 'ab' })).toEqual({ prompt: [bos], adversarial: ids('ab'), desired: [] });
    expect(made({ desired: '<s>ab' })).toEqual({ prompt: [bos], desired: ids('ab') });
    const long = 'x'.repeat(2000);
    expect(made({ desired: long }, { overflow: 'cut' })!.desired).toEqual(ids('x'.repeat(7)));
    expect(made({ desired: long }, { overflow: 'drop' })).toBeUndefined();
    expect(made({ desired: 'x'.repeat(8) }, { overflow: 'drop' })).toBeUndefined();
    expect(() => made({ desired: 'x'.repeat(8) })).toThrow('at most 8 tokens, got 9');
    expect(() => made({ desired: '' })).toThrow('a text of at least one token');
  });

  it('cuts completions of prompts, too', () => {
    expect(made({ prompt: 'abc', completion: 'defghijkl' }, { overflow: 'cut' })).toEqual({
      prompt: ids('abc'),
      desired: ids('defgh'),
    });
  });
});

const row = (name: string) => (index: number) => ({ text: `${name}${index}` });
const open: OpenSource = (path) => Promise.resolve(new CountingSource([4, 3], row(path as string)));
const config: TrainingDataConfig = {
  pairs: { path: 'forget', columns: { adversarial: 'text' } },
  desired: { path: 'retain', columns: { desired: 'text' } },
  benign: { path: 'benign', columns: { desired: 'text' } },
  batchSize: 2,
  context: 16,
};

describe('batches of running text', () => {
  const batches = (more: Partial<TrainingDataConfig>, count: number, from?: Cursor) =>
    take(trainingBatches({ ...config, ...more }, template, { seed: 1, open, ...(from && { from }) }), count);
  const texts = (batch: { readonly tokens: Int32Array }) => tokenizer.decode([...batch.tokens]);

  it('pair what is to be forgotten with what is desired instead, and resume anywhere', async () => {
    const all = await batches({}, 5);
    for (const { pairs, benign } of all) {
      expect(texts(pairs)).toMatch(/^(forget\dretain\d){2}$/);
      expect(texts(benign!)).toMatch(/^(benign\d){2}$/);
      expect(Object.keys(pairs.labels)).toEqual(['adversarial', 'desired']);
    }
    const cursor = JSON.parse(JSON.stringify(all[1]!.cursor)) as Cursor;
    const rest = await batches({}, 3, cursor);
    expect(rest.map(({ pairs }) => texts(pairs))).toEqual(all.slice(2).map(({ pairs }) => texts(pairs)));
  });

  it('end where a row holds a text that must be absent, whichever table it is in', async () => {
    for (const text of ['forget6', 'retain3', 'benign5'])
      await expect(batches({ absent: ['nowhere', text] }, 9)).rejects.toMatchObject({
        code: 'DATASET_FORBIDDEN',
      });
    expect(await batches({ absent: ['forget9'] }, 9)).toHaveLength(9);
  });
});
