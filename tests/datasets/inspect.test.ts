/** @file What an inspection says: all rows or a sample, columns, what would be dropped and why, and the loss mask. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  createEncoder,
  datasetOf,
  Examiner,
  inspect,
  segmentsOf,
  type DatasetChoice,
  type Inspection,
  type InspectOptions,
} from '../../datasets/index.js';
import { byteTokenizer, CountingSource } from './helpers.js';

const tokenizer = byteTokenizer();
const template = createChatTemplate(
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}',
  tokenizer,
);
const row = (index: number): Record<string, unknown> => ({
  prompt: `p${index}`,
  bad: index % 5 === 0 ? 'x'.repeat(50) : 'bad',
  good: index % 7 === 0 ? null : index % 11 === 0 ? 3 : 'good',
  tags: Array.from({ length: index % 3 }, () => 't'),
  even: index % 2 === 0,
});
const choice: DatasetChoice = {
  path: 'x',
  columns: { prompt: 'prompt', adversarial: 'bad', desired: 'good' },
  filter: [{ column: 'even', equals: true }],
};

async function inspected(
  counts: readonly number[],
  options: InspectOptions = {},
  context = 40,
): Promise<Inspection> {
  const source = new CountingSource(counts, row);
  const encoder = createEncoder(template, { context, overflow: 'drop' }, { threads: 0 });
  return inspect(source, {
    ...options,
    examiner: new Examiner(source, datasetOf(choice), { encoder, tokenizer, context }),
  });
}

describe('inspect', () => {
  it('counts every row once, as an example or under the reason that it makes none', async () => {
    const { seen, rows, examples, columns } = await inspected([30, 47]);
    expect([seen, rows]).toEqual([77, 77]);
    const all = Array.from({ length: 77 }, (_, index) => index);
    const even = all.filter((index) => index % 2 === 0);
    const missing = even.filter((index) => index % 7 === 0);
    const wrong = even.filter((index) => index % 7 !== 0 && index % 11 === 0);
    const long = even.filter((index) => index % 7 !== 0 && index % 11 !== 0 && index % 5 === 0);
    const counts = Object.fromEntries(examples!.dropped.map(({ reason, count }) => [reason, count]));
    expect(counts).toEqual({
      filtered: 38,
      DATASET_VALUE_MISSING: missing.length,
      DATASET_VALUE_TYPE: wrong.length,
      'too long': long.length,
    });
    expect(examples!.kept).toBe(even.length - missing.length - wrong.length - long.length);
    expect(examples!.dropped.find(({ reason }) => reason === 'DATASET_VALUE_TYPE')!.first).toContain(
      'row 22',
    );
    expect(examples!.lengths['whole']!.count).toBe(examples!.kept);
    const [prompt, , good, tags] = columns;
    expect(prompt).toMatchObject({
      name: 'prompt',
      type: 'text',
      nulls: 0,
      unit: 'characters',
      lengths: { count: 77, least: 2, most: 3 },
    });
    expect(good).toMatchObject({
      type: 'text or number',
      nulls: all.filter((index) => index % 7 === 0).length,
    });
    expect(tags).toMatchObject({ type: 'list', unit: 'items', lengths: { most: 2 } });
  });

  it('looks at as many rows as it is told to, of groups chosen by the seed, and reads no others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 80 }),
        fc.nat(9),
        async (counts, limit, seed) => {
          const source = new CountingSource(counts, row);
          const { seen, columns } = await inspect(source, { limit, seed });
          expect(seen).toBe(Math.min(limit, source.rows));
          expect(columns[0]!.lengths!.count).toBe(seen);
          const last = source.reads.at(-1)!;
          expect(source.rowsRead - source.groups[last]!.rows).toBeLessThan(limit);
          const again = new CountingSource(counts, row);
          await inspect(again, { limit, seed });
          expect(again.reads).toEqual(source.reads);
        },
      ),
    );
  });

  it('reports progress up to the last row, and needs no roles', async () => {
    const reported: number[] = [];
    const found = await inspect(new CountingSource([300, 300], row), {
      progress: (seen) => reported.push(seen),
    });
    expect(reported).toEqual([256, 512, 600]);
    expect(found.examples).toBeUndefined();
  });
});

describe('segmentsOf', () => {
  it('cuts an example where losses begin and end, and loses no token', () => {
    const ids = (text: string): number[] => tokenizer.encode(text, { specialTokens: false });
    const prompt = ids('abcdefgh');
    const turns = [
      { start: 0, end: 2 },
      { start: 5, end: 6 },
    ];
    expect(segmentsOf({ prompt, turns, adversarial: ids('bad'), desired: ids('good') }, tokenizer)).toEqual([
      { part: 'turn', text: 'ab', learned: true },
      { part: 'prompt', text: 'cde', learned: false },
      { part: 'turn', text: 'f', learned: true },
      { part: 'prompt', text: 'gh', learned: false },
      { part: 'adversarial', text: 'bad', learned: true },
      { part: 'desired', text: 'good', learned: true },
    ]);
    expect(segmentsOf({ prompt, desired: ids('good') }, tokenizer).map(({ part }) => part)).toEqual([
      'prompt',
      'completion',
    ]);
  });
});
