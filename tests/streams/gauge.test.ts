/** @file What a gauge counts, on a clock that only moves when told. */
import { beforeEach, describe, expect, it } from 'vitest';
import { collect, Gauge, pull } from '../../streams/index.js';

describe('a gauge', () => {
  let time = 0;
  let gauge = new Gauge();
  beforeEach(() => {
    time = 0;
    gauge = new Gauge(() => time);
  });
  const takes = (milliseconds: number) => (): void => void (time += milliseconds);

  it('counts items and the seconds that they took, that of an item in work included', async () => {
    await gauge.during(takes(1500));
    time += 700;
    await gauge.during(takes(500));
    expect([gauge.items, gauge.seconds, gauge.busy]).toEqual([2, 2, false]);
    gauge.begin();
    time += 250;
    expect([gauge.items, gauge.seconds, gauge.busy]).toEqual([2, 2.25, true]);
  });

  it('counts the time of what failed, and no item', async () => {
    const failing = gauge.during(() => {
      time += 1000;
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect([gauge.items, gauge.seconds, gauge.busy]).toEqual([0, 1, false]);
  });

  it('of a source counts what was read, and the time that was waited for it', async () => {
    async function* slow(): AsyncGenerator<number> {
      for (let item = 0; item < 3; item++) {
        time += 2000;
        yield await Promise.resolve(item);
      }
    }
    expect(await collect(pull(slow(), { gauge }))).toEqual([0, 1, 2]);
    expect([gauge.items, gauge.seconds, gauge.busy]).toEqual([3, 6, false]);
  });
});
