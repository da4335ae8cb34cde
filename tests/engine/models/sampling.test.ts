/** @file Drawing tokens: within the top k and the top p, with the right frequencies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draws } from '../../../foundation/index.js';
import { drawnToken, greedyToken } from '../../../engine/models/sampling.js';

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
