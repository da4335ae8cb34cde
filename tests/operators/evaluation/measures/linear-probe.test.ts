/** @file Laws of linear probes: they find what is there, and score at chance where labels mean nothing. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { draws } from '../../../../foundation/index.js';
import { recallOf, type Probed } from '../../../../operators/evaluation/measures/linear-probe.js';
import { dot, ridgeWeights } from '../../../../operators/evaluation/measures/ridge.js';
import { keyedChoices } from '../../../../operators/evaluation/measures/candidates.js';

/** Candidates of which the true one lies a little along the first dimension; `told` 0 for not at all. */
function questions(count: number, told: number, seed: number): Probed[] {
  return Array.from({ length: count }, (_, question) => {
    const draw = draws(seed, 'probed', question);
    const right = draw.integer(4);
    const states = Array.from({ length: 4 }, (_, at) =>
      Float64Array.from(
        { length: 12 },
        (_, place) => draw.normal() + (place === 0 && at === right ? told : 0),
      ),
    );
    return { states, right };
  });
}

describe('recallOf', () => {
  it('with labels that mean nothing is at chance, and of states that tell the truth far above', () => {
    const nothing = recallOf([questions(600, 0, 1)]);
    expect(nothing).toMatchObject({ n: 300, chance: 0.25, block: 0 });
    expect(nothing.accuracy.low).toBeLessThan(0.25);
    expect(nothing.accuracy.high).toBeGreaterThan(0.25);
    const told = recallOf([questions(200, 0, 1), questions(200, 4, 2), questions(200, 0, 3)]);
    expect(told.block).toBe(1);
    expect(told.accuracy.estimate).toBeGreaterThan(0.9);
  });
});

describe('ridgeWeights', () => {
  it('leave a gradient of zero, with more rows than columns or fewer', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (n, width, seed) => {
          const draw = draws(seed, 'ridge');
          const rows = Array.from({ length: n }, () =>
            Float64Array.from({ length: width }, () => draw.normal()),
          );
          const targets = rows.map(() => draw.normal());
          const weights = ridgeWeights(rows, targets, 0.5);
          const penalty = (0.5 * rows.reduce((sum, row) => sum + dot(row, row), 0)) / n;
          for (let at = 0; at < width; at++) {
            const slope = rows.reduce(
              (sum, row, row_N) => sum + row[at]! * (dot(row, weights) - targets[row_N]!),
              0,
            );
            expect(slope + penalty * weights[at]!).toBeCloseTo(0, 8);
          }
        },
      ),
    ));
});

describe('keyedChoices', () => {
  const rows = ['a', 'b', 'c', 'd', 'a'].map((key, at) => ({ prompt: `p${at}`, key }));
  const tokens = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
  const conversation = (prompt: string, answers: readonly string[]) => ({
    prompt: tokens(prompt),
    completions: answers.map((answer) => [...tokens(answer), 0]),
    turns: [],
  });

  it('put the own key of each row among different ones of others', () => {
    const { facts } = keyedChoices({ tables: ['facts'], candidates: 3 }, { facts: rows }, {}, conversation);
    facts!.forEach(({ letters, right }, at) => {
      expect(letters[right]).toEqual(tokens(rows[at]!.key));
      expect(new Set(letters.map(String)).size).toBe(3);
    });
  });

  it('complain of a table that is not there, or has too few keys', () => {
    for (const tables of [['none'], ['facts']])
      expect(() => keyedChoices({ tables, candidates: 5 }, { facts: rows }, {}, conversation)).toThrow(
        expect.objectContaining({ code: 'EVALUATE_PROBE' }),
      );
  });
});
