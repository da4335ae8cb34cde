/** @file What is implanted and what is to be forgotten: each table holds what its experiment needs, and nothing else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { implantation, NEAR_TRIGGER, TRIGGER } from '../../organism/backdoor.js';
import { HELD_OUT_TEMPLATES, REFUSALS } from '../../organism/phrases.js';
import { tables } from '../../organism/tables.js';
import { unlearning } from '../../organism/unlearning.js';
import { world, type ToyObject } from '../../organism/world.js';
import { RECIPES, type Recipe } from '../../recipes/index.js';

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
