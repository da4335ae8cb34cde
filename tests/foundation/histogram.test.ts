/** @file Laws of histograms: everything is counted, once, in the bin that holds it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Counter } from '../../foundation/index.js';

describe('Counter', () => {
  it('counts each number once, in the bin that it lies in, and keeps the least, the most and the mean', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000)), (numbers) => {
        const counter = new Counter();
        for (const number of numbers) counter.add(number);
        const { bins, count, least, most, mean } = counter.histogram();
        expect(count).toBe(numbers.length);
        for (const { from, to, count: held } of bins)
          expect(held).toBe(numbers.filter((number) => number >= from && number < to).length);
        expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(numbers.length);
        expect([least, most]).toEqual(
          numbers.length > 0 ? [Math.min(...numbers), Math.max(...numbers)] : [0, 0],
        );
        expect(mean * numbers.length).toBeCloseTo(numbers.reduce((sum, number) => sum + number, 0));
      }),
    );
  });
});
