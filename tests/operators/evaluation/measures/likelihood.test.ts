/** @file Laws of perplexity: every token counts the same, however completions lie in tables and batches. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PackedBatch } from '../../../../datasets/index.js';
import {
  evaluate,
  evaluationValues,
  likelihoodOf,
  type Inside,
  type RowLoss,
} from '../../../../operators/index.js';
import { asked, config, question, scripted, Words } from '../scripted.js';

const row = fc.record({
  loss: fc.double({ min: 0, max: 12, noNaN: true }),
  tokens: fc.integer({ min: 1, max: 50 }),
});
const rows = fc.array(row, { minLength: 1, maxLength: 12 });
const tokensOf = (all: readonly RowLoss[]): number => all.reduce((sum, { tokens }) => sum + tokens, 0);

describe('likelihoodOf', () => {
  it('of two tables together is the mean of both, weighed by their tokens', () =>
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const [one, other, both] = [first, second, [...first, ...second]].map((all) => likelihoodOf(all)!);
        const mean =
          one!.crossEntropy.estimate * tokensOf(first) + other!.crossEntropy.estimate * tokensOf(second);
        expect(both!.crossEntropy.estimate).toBeCloseTo(mean / tokensOf([...first, ...second]), 9);
        expect(both!.tokens).toBe(one!.tokens + other!.tokens);
      }),
    ));

  it('lies between the least and the greatest loss, within its interval, and perplexity is e to the power of it', () =>
    fc.assert(
      fc.property(rows, (all) => {
        const { crossEntropy, perplexity } = likelihoodOf(all)!;
        expect(crossEntropy.estimate).toBeGreaterThanOrEqual(Math.min(...all.map(({ loss }) => loss)) - 1e-9);
        expect(crossEntropy.estimate).toBeLessThanOrEqual(Math.max(...all.map(({ loss }) => loss)) + 1e-9);
        for (const end of ['estimate', 'low', 'high'] as const)
          expect(perplexity[end]).toBe(Math.exp(crossEntropy[end]));
        expect(perplexity.low).toBeLessThanOrEqual(perplexity.estimate);
        expect(perplexity.high).toBeGreaterThanOrEqual(perplexity.estimate);
      }),
      { numRuns: 50 },
    ));

  it('is none for no rows and for losses that are no numbers', () => {
    expect(likelihoodOf([])).toBeUndefined();
    expect(likelihoodOf([{ loss: NaN, tokens: 2 }])).toBeUndefined();
    expect(likelihoodOf([{ loss: 1e4, tokens: 2 }])).toBeUndefined();
  });
});

describe('an evaluation', () => {
  const words = new Words();
  const benign = ['one', 'two three four', 'five six'].map((answer, at) => question(words, `r${at}`, answer));
  /** The loss of a completion is its number of tokens. */
  const rowLosses = ({ rows: count, length, labels }: PackedBatch): Promise<Float32Array> => {
    const losses = new Float32Array(count);
    labels.desired!.weights.forEach((weight, at) => {
      if (weight > 0) losses[Math.floor(labels.desired!.index[at]! / length)]! += 1;
    });
    return Promise.resolve(losses);
  };

  it('takes perplexity on the answers of each table, in any batches, but not on answers that no table has', async () => {
    const { subject } = scripted(words, () => '?');
    const seeing = { ...subject, inside: { rowLosses } as unknown as Inside };
    const probes = {
      facts: [benign[1]!, { ...benign[0]!, invented: true }],
      bare: [{ ...benign[0]!, invented: true }],
    };
    for (const batch of [1, 2, 9]) {
      const found = await evaluate(seeing, asked(words, { benign, probes }), { ...config, batch });
      // Answers of 2, 4 and 3 tokens with their ends.
      const { tokens, crossEntropy } = found.benign!.likelihood!;
      expect([tokens, crossEntropy.estimate]).toEqual([9, expect.closeTo((4 + 16 + 9) / 9, 6)]);
      expect(found.probes?.['facts']?.likelihood?.tokens).toBe(4);
      expect(found.probes?.['bare']?.likelihood).toBeUndefined();
      expect(evaluationValues(found)).toMatchObject({ benignCrossEntropy: crossEntropy.estimate });
      expect(Object.keys(evaluationValues(found))).toContain('factsPerplexityHigh');
    }
  });
});
