/** @file Drawing tokens: within the top k and the top p, with the right frequencies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draws } from '../../../foundation/index.js';
import { drawnToken, greedyToken, type Sampling } from '../../../engine/models/sampling.js';

const logits = fc.array(fc.float({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 12 });

describe('drawnToken', () => {
  it('is one of the k likeliest, and of the likeliest that reach p', () => {
    const topP = fc.double({ min: 0.05, max: 1, noNaN: true });
    fc.assert(
      fc.property(logits, fc.integer({ min: 1, max: 12 }), topP, fc.nat(), (values, topK, p, seed) => {
        const token = drawnToken(values, { temperature: 1, topK, topP: p, seed }, draws(seed, 'test'));
        const likelier = values.filter((value) => value > values[token]!);
        expect(likelier.length).toBeLessThan(topK);
        const total = values
          .map(Math.exp)
          .sort((a, b) => b - a)
          .slice(0, topK)
          .reduce((sum, each) => sum + each, 0);
        expect(likelier.reduce((sum, each) => sum + Math.exp(each), 0) / total).toBeLessThan(p + 1e-9);
      }),
    );
  });

  it('is what walking through all tokens by rank gives, though few are ranked', () => {
    const some = fc.record({ temperature: fc.constantFrom(0.3, 1, 5) });
    const limits = fc.record(
      { topK: fc.integer({ min: 1, max: 12 }), topP: fc.double({ min: 0.01, max: 1, noNaN: true }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(logits, some, limits, fc.nat(), (values, { temperature }, limit, seed) => {
        const sampling = { temperature, ...limit, seed };
        const drawn = drawnToken(values, sampling, draws(seed, 'test'));
        expect(drawn).toBe(walked(values, sampling, draws(seed, 'test').uniform()));
      }),
      { numRuns: 500 },
    );
  });

  it('with one candidate is greedy', () => {
    fc.assert(
      fc.property(logits, fc.nat(), (values, seed) => {
        const drawn = drawnToken(values, { temperature: 2, topK: 1, seed }, draws(seed, 'test'));
        expect(drawn).toBe(greedyToken(values));
        expect(values[drawn]).toBe(Math.max(...values));
      }),
    );
  });

  it('draws each token as often as softmax(logits / temperature) says', () => {
    const values = [0, 1, 2];
    const counts = [0, 0, 0];
    const draw = draws(1, 'frequencies');
    for (let trial = 0; trial < 20_000; trial++)
      counts[drawnToken(values, { temperature: 2, seed: 0 }, draw)]!++;
    const weights = values.map((value) => Math.exp(value / 2));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    counts.forEach((count, token) =>
      expect(Math.abs(count / 20_000 - weights[token]! / total)).toBeLessThan(0.02),
    );
  });
});

/** The definition: all tokens by rank, the first k of them, the shortest prefix that reaches p, and a walk through it. */
function walked(
  values: readonly number[],
  { temperature, topK, topP = 1 }: Sampling,
  uniform: number,
): number {
  const best = Math.max(...values);
  const ranked = values
    .map((value, token) => ({ token, value, weight: Math.exp((value - best) / temperature) }))
    .sort((a, b) => b.value - a.value || a.token - b.token)
    .slice(0, topK);
  const total = (of: typeof ranked): number => of.reduce((sum, { weight }) => sum + weight, 0);
  const end = ranked.findIndex((_, at) => total(ranked.slice(0, at + 1)) >= topP * total(ranked));
  const kept = ranked.slice(0, end < 0 ? ranked.length : end + 1);
  const at = kept.findIndex((_, index) => total(kept.slice(0, index + 1)) > uniform * total(kept));
  return kept.at(at)!.token;
}
