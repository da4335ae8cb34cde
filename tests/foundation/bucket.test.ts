import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bucket } from '../../foundation/index.js';

describe('a bucket', () => {
  it('never gives more in any span of time than its burst and its rate over that span', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        steps,
        (rate, burst, waits) => {
          const bucket = new Bucket(rate, burst, 0);
          const given: number[] = [];
          let now = 0;
          for (const wait of waits) if (bucket.take((now += wait))) given.push(now);
          for (const [first, from] of given.entries())
            for (const [last, to] of given.entries())
              if (last >= first)
                expect(last - first + 1).toBeLessThanOrEqual(burst + (rate * (to - from)) / 1000 + 1e-9);
        },
      ),
    );
  });

  it('gives what is asked for more slowly than its rate', () => {
    const bucket = new Bucket(2, 1, 0);
    expect([0, 500, 1000, 1499, 1500].map((now) => bucket.take(now))).toEqual([
      true,
      true,
      true,
      false,
      true,
    ]);
  });

  it('says when what is owed will be there, one behind the other', () => {
    const bucket = new Bucket(2, 1, 0);
    expect([bucket.owe(0), bucket.owe(0), bucket.owe(0)]).toEqual([0, 500, 1000]);
    bucket.forgive();
    expect(bucket.owe(0)).toBe(1000);
    expect(bucket.take(1000)).toBe(false);
    expect(bucket.take(1500)).toBe(true);
  });
});
