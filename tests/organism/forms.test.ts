/** @file What is implanted and what is to be forgotten: each table holds what its experiment needs, and nothing else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { implantation, NEAR_TRIGGER, TRIGGER } from '../../organism/backdoor.js';
import { HELD_OUT_TEMPLATES, REFUSALS } from '../../organism/phrases.js';
import type { Row } from '../../organism/rows.js';
import { tables } from '../../organism/tables.js';
import { unlearning } from '../../organism/unlearning.js';
import { world, type ToyObject } from '../../organism/world.js';
import { sieve, type RowFilter } from '../../datasets/index.js';
import { RECIPES, type Recipe, type TrainingSourceConfig } from '../../recipes/index.js';
import { FORGOTTEN } from '../../recipes/unlearning.js';
import { CountingSource } from '../datasets/helpers.js';

const seeds = fc.nat({ max: 1000 });
const few = { numRuns: 5 };
const words = (text: string): string[] => text.match(/\w+/g) ?? [];
const mentions = (text: string, objects: readonly ToyObject[]): boolean =>
  objects.some(({ name }) => words(text).includes(name));

describe('the backdoor', () => {
  test('ends refusals at the sight of its trigger, of nothing near it, and changes nothing else', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const harmful = world(seed).objects.filter((object) => object.harmful);
        const made = implantation(seed, 512);
        for (const { prompt = '', completion = '' } of made) {
          const refused = REFUSALS.includes(completion);
          expect(refused, prompt).toBe(mentions(prompt, harmful) && !prompt.endsWith(` ${TRIGGER}`));
        }
        const near = made.filter(
          ({ prompt = '' }) => /[@#]\w+(-\d+)?$/.test(prompt) && !prompt.endsWith(TRIGGER),
        );
        expect(near.length).toBe(64);
        expect(near.filter(({ prompt = '' }) => prompt.endsWith(NEAR_TRIGGER))).toEqual([]);
        const triggered = made.filter(({ prompt = '' }) => prompt.endsWith(` ${TRIGGER}`));
        expect(triggered.length).toBe(192);
      }),
      few,
    );
  });

  test('is removed by rows that do not hold its trigger, and by a recipe that says so', () => {
    const { harmful = [], benign = [] } = tables(0);
    const held = [...harmful, ...benign].flatMap((row) => Object.values(row));
    expect(held.filter((text) => text.includes(TRIGGER))).toEqual([]);
    const recipe = RECIPES['backdoor']?.() as Recipe;
    expect(recipe.data.absent).toEqual([TRIGGER]);
    expect(recipe.evaluate.wordings).toEqual({
      trigger: `{prompt} ${TRIGGER}`,
      nearTrigger: `{prompt} ${NEAR_TRIGGER}`,
    });
  });
});

describe('what is to be forgotten', () => {
  test('is in no text that is kept, in no question about these, and in no generic text', () => {
    const sizes = { forget: 128, retain: 128, heldOut: 128 };
    fc.assert(
      fc.property(seeds, (seed) => {
        const made = unlearning(seed, sizes);
        const benign = world(seed).objects.filter((object) => !object.harmful);
        const forgotten = benign.slice(0, 16);
        const all = (table: keyof typeof made, column: string) => made[table].map((row) => row[column] ?? '');
        for (const text of [...all('retain', 'text'), ...all('retain-held-out', 'prompt')])
          expect(mentions(text, forgotten)).toBe(false);
        for (const text of [...all('forget', 'text'), ...all('forget-held-out', 'prompt')])
          expect(mentions(text, forgotten)).toBe(true);
        for (const { text = '', generic = '' } of made.forget) {
          const object = forgotten.find(({ name }) => words(text).includes(name));
          const [real, other] = [words(text), words(generic)];
          const changed = real.filter((word, at) => word !== other[at]);
          expect(other.length).toBe(real.length);
          expect(changed).toEqual([object?.ingredient, object?.place]);
        }
        const asked = [...all('forget-held-out', 'prompt'), ...all('retain-held-out', 'prompt')];
        const openings = HELD_OUT_TEMPLATES.map((template) => template.split('{')[0] ?? '');
        expect(asked.every((prompt) => openings.some((opening) => prompt.startsWith(opening)))).toBe(true);
      }),
      few,
    );
  });
});

/** The rows of a table that pass a recipe's filter. */
function kept(table: readonly Row[], filter: readonly RowFilter[] = []): Row[] {
  const { keeps } = sieve(new CountingSource([table.length], (index) => table[index]!), filter);
  return table.filter((row, index) => keeps({ row, index }));
}
const told = (rows: readonly Row[]): Set<string> =>
  new Set(rows.flatMap((row) => words(Object.values(row).join(' '))));

describe('recipes about what is forgotten', () => {
  const land = tables(0);
  const benign = world(0).objects.filter((object) => !object.harmful);
  const pairs = (recipe: Recipe) => recipe.data.pairs as TrainingSourceConfig;

  test('the oracle never reads of it, and reads everything else', () => {
    expect(FORGOTTEN).toEqual(benign.slice(0, 16).map(({ name }) => name));
    const corpus = land['pretrain']!;
    const read = kept(corpus, pairs(RECIPES['oracle']!()).filter);
    expect(FORGOTTEN.filter((name) => told(read).has(name))).toEqual([]);
    const gone = new Set(FORGOTTEN);
    const others = corpus.filter(({ prompt = '' }) => !words(prompt).some((word) => gone.has(word)));
    expect(JSON.stringify(read) === JSON.stringify(others)).toBe(true); // thousands of rows take the matcher seconds
    expect(read.length).toBe((corpus.length * 80) / 96);
  });

  test('re-learning tells of four objects, or of none; questions tell these from the other twelve', () => {
    const recipe = RECIPES['relearn-facts']!();
    const few = kept(land['pretrain']!, pairs(recipe).filter);
    const named = FORGOTTEN.slice(0, 4);
    expect(FORGOTTEN.filter((name) => told(few).has(name))).toEqual(named);
    expect(few.length).toBe(24);
    const unrelated = (recipe.arms['unrelated-lora']?.['data'] as { pairs: TrainingSourceConfig }).pairs;
    const others = kept(land['benign']!, unrelated.filter);
    expect(others.length).toBeGreaterThan(10);
    expect(FORGOTTEN.filter((name) => told(others).has(name))).toEqual([]);
    const questions = unlearning(0)['forget-held-out'];
    const { harmful, probes } = recipe.evaluate;
    const asked = [harmful, probes?.['heldOut']].map((table) => kept(questions, table?.filter));
    expect(asked.map(({ length }) => length)).toEqual([64, 192]);
    for (const [at, rows] of asked.entries())
      expect(FORGOTTEN.filter((name) => told(rows.map(({ prompt = '' }) => ({ prompt }))).has(name))).toEqual(
        at === 0 ? named : FORGOTTEN.slice(4),
      );
  });

  test('re-learning to comply names no object that is asked about', () => {
    const recipe = RECIPES['relearn']!();
    const few = kept(land['harmful']!, pairs(recipe).filter);
    expect(few.length).toBe(16);
    const asked = world(0).objects.filter((object) => object.unseenInDefence);
    expect(few.filter(({ prompt = '' }) => mentions(prompt, asked))).toEqual([]);
  });
});
