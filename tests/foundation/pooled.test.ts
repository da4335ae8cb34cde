/** @file Laws of pooling: several seeds together say no more than they measured, in whatever way they are given. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pairedBootstrap, pooledBootstrap } from '../../foundation/index.js';

const outcomes = (n: number): fc.Arbitrary<boolean[]> =>
  fc.array(fc.boolean(), { minLength: n, maxLength: n });
/** Two models' outcomes on the same requests, with every seed. */
const measured = fc
  .record({ seeds: fc.integer({ min: 1, max: 4 }), n: fc.integer({ min: 1, max: 12 }) })
  .chain(({ seeds, n }) =>
    fc.array(fc.tuple(outcomes(n), outcomes(n)), { minLength: seeds, maxLength: seeds }),
  );
const differences = (pairs: readonly [boolean[], boolean[]][]): number[][] =>
  pairs.map(([first, second]) => first.map((hit, at) => Number(hit) - Number(second[at])));
const options = fc.record({ shared: fc.boolean(), seed: fc.nat(), resamples: fc.constant(200) });

it('a pooled interval holds its estimate, which is the mean of the means of seeds, and nothing that cannot be', () => {
  fc.assert(
    fc.property(measured, options, (pairs, given) => {
      const values = differences(pairs);
      const { estimate, low, high } = pooledBootstrap(values, given);
      const means = values.map((each) => each.reduce((sum, value) => sum + value, 0) / each.length);
      expect(estimate).toBeCloseTo(means.reduce((sum, mean) => sum + mean, 0) / means.length, 12);
      expect(low).toBeLessThanOrEqual(estimate);
      expect(high).toBeGreaterThanOrEqual(estimate);
      expect(low).toBeGreaterThanOrEqual(-1 - 1e-9);
      expect(high).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

it('with one seed a pooled interval is the paired bootstrap of its requests', () => {
  fc.assert(
    fc.property(measured, options, ([pair], { shared, seed, resamples }) => {
      const [first, second] = pair as [boolean[], boolean[]];
      const plain = pairedBootstrap(first, second, seed, resamples);
      const pooled = pooledBootstrap(differences([[first, second]]), { shared, seed, resamples });
      for (const end of ['estimate', 'low', 'high'] as const) expect(pooled[end]).toBeCloseTo(plain[end], 12);
    }),
  );
});

it('seeds that disagree widen the interval beyond what their requests alone would say', () => {
  const seeds = [0, 1, 2, 3].map((seed) =>
    Array.from({ length: 200 }, (_, at) => Number(at % 10 < 1 + 2 * seed)),
  );
  const apart = pooledBootstrap(seeds, { shared: false, seed: 1 });
  const together = pooledBootstrap([seeds.flat()], { shared: false, seed: 1 });
  expect(apart.estimate).toBeCloseTo(together.estimate, 12);
  expect(apart.high - apart.low).toBeGreaterThan(3 * (together.high - together.low));
});

it('requests that decide with every seed alike are not counted once for each seed where they are shared', () => {
  const outcomes = Array.from({ length: 50 }, (_, at) => Number(at < 20));
  const width = (shared: boolean): number => {
    const { low, high } = pooledBootstrap([outcomes, outcomes, outcomes, outcomes], { shared, seed: 2 });
    return high - low;
  };
  expect(width(true)).toBeGreaterThan(1.6 * width(false));
});

it('says nothing about nothing', () => {
  expect(pooledBootstrap([], { shared: true, seed: 0 })).toEqual({ estimate: 0, low: -1, high: 1 });
  expect(pooledBootstrap([[1], []], { shared: true, seed: 0 })).toEqual({ estimate: 0, low: -1, high: 1 });
});
