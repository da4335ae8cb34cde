/** @file Laws of encoding in threads, and what ends hostile texts and templates. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  createEncoder,
  encodeRows,
  type Encoded,
  type EncoderRow,
  type Tokenizer,
} from '../../datasets/index.js';
import { encoderThreads } from '../../datasets/encoder.threads.js';
import { byteTokenizer } from './helpers.js';

const CHATML =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
const template = createChatTemplate(CHATML, byteTokenizer());
const options = { context: 64, overflow: 'drop' as const, system: 'be' };

const rowsOf = (texts: readonly unknown[]): EncoderRow[] =>
  texts.map((text, index) => ({
    index,
    owner: `dataset x, row ${index}`,
    values: { prompt: text, adversarial: 'a', desired: 'd' },
  }));
const plain = (encoded: readonly Encoded[]): unknown =>
  encoded.map((each) => ('error' in each ? each.error.complaint : each));
const text = fc.oneof(
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }), weight: 4 },
  fc.constant('long'.repeat(30)),
  fc.constantFrom(3, null, { not: 'text' }),
);

describe('createEncoder', () => {
  it('gives what encoding where it is called gives, in the order of the rows, with any number of threads', async () => {
    const threads = [1, 2, 3].map((count) => encoderThreads(template, options, count));
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(text, { maxLength: 12 }), { maxLength: 5 }), async (chunks) => {
          const rows = chunks.map(rowsOf);
          const here = rows.map((chunk) => plain(encodeRows(chunk, template, options)));
          for (const each of threads) {
            const there = await Promise.all(rows.map((chunk) => each.encode(chunk)));
            expect(there.map(plain)).toEqual(here);
          }
        }),
        { numRuns: 30 },
      );
    } finally {
      await Promise.all(threads.map((each) => each.close()));
    }
  });

  it('goes on in threads what it began without, and says the same of every row', async () => {
    const rows = Array.from({ length: 30 }, (_, chunk) => rowsOf([`text ${chunk}`, 7, 'x'.repeat(99)]));
    const many = rows.flatMap((chunk) => Array.from({ length: 20 }, () => chunk));
    const [with2, without] = [
      createEncoder(template, options, { threads: 2 }),
      createEncoder(template, options, { threads: 0 }),
    ];
    const threaded = await Promise.all(many.map((chunk) => with2.encode(chunk)));
    const here = await Promise.all(many.map((chunk) => without.encode(chunk)));
    expect(threaded.map(plain)).toEqual(here.map(plain));
    expect(plain(here[0]!)).toMatchObject([
      { example: { prompt: expect.any(Array) as number[] } },
      { code: 'DATASET_VALUE_TYPE', owner: 'dataset x, row 1, prompt' },
      { example: undefined },
    ]);
    await with2.close();
    await without.close();
  });

  it('fails what waits when a thread runs out of memory, and everything after', async () => {
    const hungry =
      '{% set n = namespace(l=[]) %}{% for i in range(9999) %}{% set n.l = n.l + [range(99999)] %}{% endfor %}';
    const threads = encoderThreads(createChatTemplate(hungry, byteTokenizer()), options, 1, {
      memory: 48,
      silence: 60_000,
    });
    const first = threads.encode(rowsOf(['a', 'b']));
    const second = threads.encode(rowsOf(['c']));
    for (const each of [first, second, first.catch(() => threads.encode(rowsOf(['d'])))])
      await expect(each).rejects.toMatchObject({
        code: 'ENCODE_THREAD',
        message: expect.stringContaining('dataset x, row 0 or one of the 1 after it') as string,
      });
    await threads.close();
  });

  it('ends a thread that does not answer', async () => {
    const threads = encoderThreads(createChatTemplate(BOMB, byteTokenizer()), options, 1, {
      memory: 2048,
      silence: 600,
    });
    await expect(threads.encode(rowsOf(['a']))).rejects.toThrow('got none within 0.6 s');
    await threads.close();
  });
});

/** Lists of lists of lists: few steps to make, 2^40 texts to write. */
const BOMB =
  '{% set n = namespace(l=[1]) %}{% for i in range(40) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l | tojson }}';

describe('encodeRows', () => {
  it('ends a template that would go on for ever, and names the row', () => {
    const onB = createChatTemplate(
      `{% if messages[0].content == 'b' %}${BOMB}{% endif %}${CHATML}`,
      byteTokenizer(),
    );
    const [a, b, c] = encodeRows(rowsOf(['a', 'b', 'c']), onB, { context: 64 }, 300);
    expect(a).toHaveProperty('example.prompt');
    expect(plain([b!, c!])).toMatchObject([
      { code: 'ENCODE_TIME', owner: 'dataset x, row 1' },
      { code: 'ENCODE_TIME', owner: 'dataset x, row 2' },
    ]);
  });

  it('does not tokenize a text that no tokenization makes fit', () => {
    const encode = (asked: string): number[] => {
      expect(asked.length).toBeLessThan(2000);
      return byteTokenizer().encode(asked, { specialTokens: false });
    };
    const counting: Tokenizer = { ...byteTokenizer(), encode };
    const guarded = createChatTemplate(CHATML, counting);
    const rows = rowsOf(['x'.repeat(2 ** 20), 'short']);
    const dropped = encodeRows(rows, guarded, options);
    expect(dropped[0]).toEqual({ example: undefined });
    expect(dropped[1]).toHaveProperty('example.prompt');
    expect(plain(encodeRows(rows, guarded, { context: 64 }).slice(0, 1))).toMatchObject([
      {
        code: 'SEQUENCE_TOO_LONG',
        owner: 'dataset x, row 0',
        got: expect.stringMatching(/^a text of 10\d+ char/) as string,
      },
    ]);
  });
});
