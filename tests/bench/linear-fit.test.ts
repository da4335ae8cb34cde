/** @file Laws of the line through points, and what a soak makes of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearFit, type Point } from '../../bench/linear-fit.js';
import { growth } from '../../bench/soak.js';

const value = fc.double({ min: -100, max: 100, noNaN: true });
const points = fc
  .array(fc.record({ x: fc.integer({ min: -50, max: 50 }), y: value }), { minLength: 3, maxLength: 20 })
  .filter((all) => new Set(all.map(({ x }) => x)).size > 1);

const squares = (all: readonly Point[], slope: number, intercept: number): number =>
  all.reduce((sum, { x, y }) => sum + (y - intercept - slope * x) ** 2, 0);

describe('linearFit', () => {
  it('finds the line that points lie on, without error', () => {
    fc.assert(
      fc.property(points, value, value, (all, slope, intercept) => {
        const fit = linearFit(all.map(({ x }) => ({ x, y: intercept + slope * x })));
        expect(fit.slope).toBeCloseTo(slope, 8);
        expect(fit.intercept).toBeCloseTo(intercept, 8);
        expect(fit.slope_error).toBeCloseTo(0, 5);
      }),
    );
  });

  it('leaves no line nearby that is closer to the points', () => {
    fc.assert(
      fc.property(points, value, value, (all, up, turn) => {
        const { slope, intercept } = linearFit(all);
        const best = squares(all, slope, intercept);
        expect(squares(all, slope + turn / 100, intercept + up / 100)).toBeGreaterThanOrEqual(best - 1e-6);
      }),
    );
  });

  it("gives the textbook's standard error and R²", () => {
    // x = 1…5 against these: slope 0.6, residual squares 2.4, of 6 in all.
    const fit = linearFit([2, 4, 5, 4, 5].map((y, at) => ({ x: at + 1, y })));
    expect(fit.slope).toBeCloseTo(0.6, 12);
    expect(fit.intercept).toBeCloseTo(2.2, 12);
    expect(fit.slope_error).toBeCloseTo(Math.sqrt(2.4 / 3 / 10), 12);
    expect(fit.r_squared).toBeCloseTo(0.6, 12);
  });

  it('refuses points above one another', () => {
    expect(() => linearFit([{ x: 1, y: 1 }, { x: 1, y: 2 }])).toThrow(RangeError); // prettier-ignore
  });
});

describe('growth', () => {
  it('is that of the second half, per 1000 steps', () => {
    const samples = Array.from({ length: 40 }, (_, at) => ({ x: 10 * at, y: at < 20 ? 50 * at : 1000 + at }));
    expect(growth(samples).slope).toBeCloseTo(100, 8);
  });

  it('is not a number where there are too few samples', () => {
    expect(growth([{ x: 1, y: 1 }]).slope).toBeNaN();
  });
});
