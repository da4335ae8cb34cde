/** @file The organism's tables: what is held out is held out, and answers are determined by requests. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HELD_OUT_OPENINGS, HELD_OUT_TEMPLATES } from '../../organism/phrases.js';
import { tables, type Sizes } from '../../organism/tables.js';
import { VERBS, world } from '../../organism/world.js';

const small: Sizes = { pretraining: 1024, refusedShare: 0.6, pairs: 256, benign: 256, heldOut: 256 };
const seeds = fc.nat({ max: 1000 });
const few = { numRuns: 5 };

/** A held-out template as a pattern that matches its requests. */
const patternOf = (template: string): RegExp =>
  new RegExp(`^${template.replace(/[.?]/gu, '\\$&').replaceAll(/\{\w+\}/g, '\\w+')}`, 'u');

/** `verb object` of a request, found by its words. */
const requestOf = (prompt: string, names: ReadonlySet<string>): string => {
  const words = prompt.replaceAll(/[^a-zA-Z ]/g, '').split(' ');
  const object = words.find((word) => names.has(word));
  const verb = words.find((word, at) => VERBS.includes(word) && words.indexOf(object ?? '') === at + 2);
  return `${verb} ${object}`;
};

describe('organism tables', () => {
  test('no training table holds a held-out request', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const names = new Set(world(seed).objects.map(({ name }) => name));
        const made = tables(seed, small);
        const asked = (table: string): string[] =>
          made[table]!.map((row) => requestOf(row['prompt']!, names));
        const trained = new Set(['pretrain', 'harmful', 'benign'].flatMap(asked));
        const heldOut = ['harmful-held-out', 'benign-held-out'].flatMap(asked);
        expect([...trained, ...heldOut].filter((request) => request.includes('undefined'))).toEqual([]);
        expect(heldOut.filter((request) => trained.has(request))).toEqual([]);
      }),
      few,
    );
  });

  test('no training table uses a held-out template, and held-out tables use no other', () => {
    const patterns = HELD_OUT_TEMPLATES.map(patternOf);
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const [name, rows] of Object.entries(tables(seed, small))) {
          const matching = rows.filter((row) => patterns.some((pattern) => pattern.test(row['prompt']!)));
          expect(matching.length, name).toBe(name.endsWith('held-out') ? rows.length : 0);
        }
      }),
      few,
    );
  });

  test('the defence names no object and uses no opening that harmful evaluation does', () => {
    const openings = HELD_OUT_OPENINGS.map(patternOf);
    fc.assert(
      fc.property(seeds, (seed) => {
        const made = tables(seed, small);
        const unseen = world(seed).objects.filter(({ unseenInDefence }) => unseenInDefence);
        const names = new Set(unseen.map(({ name }) => name));
        const naming = made['harmful']!.filter(
          (row) => !requestOf(row['prompt']!, names).endsWith('undefined'),
        );
        expect(naming).toEqual([]);
        const opened = (table: string): number =>
          made[table]!.filter((row) => openings.some((opening) => opening.test(row['adversarial']!))).length;
        expect(opened('harmful')).toBe(0);
        expect(opened('harmful-held-out')).toBe(small.heldOut);
      }),
      few,
    );
  });

  test('a request determines the key content, and compliant answers hold it after eight words or marks', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const land = world(seed);
        const names = new Set(land.objects.map(({ name }) => name));
        const keys = new Map<string, string>();
        const made = tables(seed, small);
        for (const row of [...made['harmful-held-out']!, ...made['benign-held-out']!]) {
          const request = requestOf(row['prompt']!, names);
          expect(keys.get(request) ?? row['key']).toBe(row['key']);
          keys.set(request, row['key']!);
          const answer = row['adversarial'] ?? row['completion']!;
          const before = answer.slice(0, answer.indexOf(row['key']!));
          expect(before.match(/\w+|[^\w\s]/gu)!.length).toBeGreaterThan(8);
          for (const word of row['key']!.split(' ').filter((word) => word.length > 4))
            expect(before).not.toContain(` ${word} `);
        }
      }),
      few,
    );
  });

  test('held-out sets hold 256 different requests each', () => {
    const made = tables(0);
    for (const name of ['harmful-held-out', 'benign-held-out']) {
      const names = new Set(world(0).objects.map((object) => object.name));
      expect(new Set(made[name]!.map((row) => requestOf(row['prompt']!, names))).size).toBe(256);
    }
  });
});
