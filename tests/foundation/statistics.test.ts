/** @file Laws and reference values of the intervals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairedBootstrap, pairedDifference, wilson } from '../../foundation/index.js';

const outcomes = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 });

describe('wilson', () => {
  it('equals the published values', () => {
    // Newcombe 1998 (two-sided intervals for the single proportion), table I.
    expect(wilson(81, 263).low).toBeCloseTo(0.2553, 4);
    expect(wilson(81, 263).high).toBeCloseTo(0.3662, 4);
    expect(wilson(0, 20).high).toBeCloseTo(0.1611, 4);
    expect(wilson(1, 29).low).toBeCloseTo(0.0061, 4);
    expect(wilson(29, 29).low).toBeCloseTo(0.883, 4);
  });

  it('contains the estimate, lies in [0, 1] and mirrors when successes and failures swap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share) => {
          const count = Math.round(share * n);
          const interval = wilson(count, n);
          expect(interval.low).toBeGreaterThanOrEqual(0);
          expect(interval.low).toBeLessThanOrEqual(interval.estimate);
          expect(interval.high).toBeGreaterThanOrEqual(interval.estimate);
          expect(interval.high).toBeLessThanOrEqual(1);
          expect(wilson(n - count, n).low).toBeCloseTo(1 - interval.high, 10);
        },
      ),
    );
  });
});

describe('pairedDifference', () => {
  it('equals the published values', () => {
    // Newcombe 1998 (paired data), table II, method 10: (e, f, g, h) and its interval.
    const rows = (e: number, f: number, g: number, h: number): [boolean[], boolean[]] => {
      const first = [...Array<boolean>(e + f).fill(true), ...Array<boolean>(g + h).fill(false)];
      const second = [e, f, g, h].flatMap((count, index) => Array<boolean>(count).fill(index % 2 === 0));
      return [first, second];
    };
    // Concordant pairs bring φ and its continuity correction in; by the paper's formulas, computed elsewhere.
    const concordant = pairedDifference(...rows(26, 15, 7, 37));
    expect(concordant.low).toBeCloseTo(-0.014445, 6);
    expect(concordant.high).toBeCloseTo(0.198656, 6);
    const interval = pairedDifference(...rows(36, 12, 2, 0));
    expect(interval.estimate).toBeCloseTo(0.2, 10);
    expect(interval.low).toBeCloseTo(0.0569, 4);
    expect(interval.high).toBeCloseTo(0.3404, 4);
  });

  it('changes sign when the models swap, and contains its estimate', () => {
    fc.assert(
      fc.property(outcomes, (pairs) => {
        const first = pairs.map(([outcome]) => outcome);
        const second = pairs.map(([, outcome]) => outcome);
        const there = pairedDifference(first, second);
        const back = pairedDifference(second, first);
        expect(there.estimate).toBeCloseTo(-back.estimate, 12);
        expect(there.low).toBeCloseTo(-back.high, 12);
        expect(there.low).toBeLessThanOrEqual(there.estimate + 1e-12);
        expect(there.high).toBeGreaterThanOrEqual(there.estimate - 1e-12);
      }),
    );
  });
});

describe('pairedBootstrap', () => {
  it('is a function of its seed and agrees with the closed form on a large sample', () => {
    const first = Array.from({ length: 400 }, (_, index) => index % 2 === 0);
    const second = Array.from({ length: 400 }, (_, index) => index % 5 === 0);
    const once = pairedBootstrap(first, second, 1);
    expect(pairedBootstrap(first, second, 1)).toEqual(once);
    expect(pairedBootstrap(first, second, 2)).not.toEqual(once);
    const closed = pairedDifference(first, second);
    expect(once.estimate).toBeCloseTo(closed.estimate, 12);
    expect(Math.abs(once.low - closed.low)).toBeLessThan(0.02);
    expect(Math.abs(once.high - closed.high)).toBeLessThan(0.02);
  });
});
