/** @file Laws of prefetching. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prefetch } from '../../datasets/index.js';

/** A source that notes what was made and whether it was closed. */
class Noting implements AsyncIterableIterator<number, undefined> {
  made = 0;
  returns = 0;
  running = 0;
  closedWhileRunning = false;

  constructor(
    private readonly count: number,
    private readonly wait: () => Promise<unknown>,
    private readonly failAt = Infinity,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<number, undefined>> {
    expect(this.running).toBe(0);
    this.running++;
    const item = this.made++;
    await this.wait();
    this.running--;
    if (item >= this.failAt) throw new Error(`item ${item}`);
    return item < this.count ? { done: false, value: item } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<number, undefined>> {
    this.returns++;
    this.closedWhileRunning ||= this.running > 0;
    return { done: true, value: undefined };
  }
}

const sizes = { count: fc.nat(12), ahead: fc.nat(4) };

describe('prefetch', () => {
  it('gives the same items in the same order, under any schedule', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), sizes.count, sizes.ahead, async (schedule, count, ahead) => {
        const source = new Noting(count, () => schedule.schedule(Promise.resolve()));
        const got = await schedule.waitFor(
          (async () => {
            const items: number[] = [];
            for await (const item of prefetch(source, ahead)) {
              items.push(item);
              await schedule.schedule(Promise.resolve());
            }
            return items;
          })(),
        );
        expect(got).toEqual([...Array(count).keys()]);
      }),
    );
  });

  it('never makes more than its bound before it is asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), sizes.count, sizes.ahead, async (schedule, count, ahead) => {
        const source = new Noting(count, () => schedule.schedule(Promise.resolve()));
        const items = prefetch(source, ahead);
        for (let taken = 0; taken < count; taken++) {
          await schedule.waitFor(items.next());
          await schedule.waitIdle();
          expect(source.made - (taken + 1)).toBeLessThanOrEqual(ahead);
          expect(items.ready).toBe(Math.min(ahead, count - taken - 1));
          if (taken + 1 + ahead <= count) expect(source.made).toBe(taken + 1 + ahead);
        }
      }),
    );
  });

  it('closes its source once on return, after the item in progress, and gives nothing more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), sizes.ahead, fc.nat(5), async (schedule, ahead, before) => {
        const source = new Noting(100, () => schedule.schedule(Promise.resolve()));
        const items = prefetch(source, ahead);
        for (let taken = 0; taken < before; taken++) await schedule.waitFor(items.next());
        const late = items.next();
        const closing = Promise.all([items.return?.(), items.return?.(), late]);
        await schedule.waitFor(closing);
        const made = source.made;
        expect(await items.next()).toEqual({ done: true, value: undefined });
        await schedule.waitIdle();
        expect({ made: source.made, returns: source.returns, early: source.closedWhileRunning }).toEqual({
          made,
          returns: 1,
          early: false,
        });
      }),
    );
  });

  it('passes an error after the items before it, once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(8), sizes.ahead, async (schedule, failAt, ahead) => {
        const source = new Noting(100, () => schedule.schedule(Promise.resolve()), failAt);
        const items = prefetch(source, ahead);
        for (let item = 0; item < failAt; item++)
          expect(await schedule.waitFor(items.next())).toEqual({ done: false, value: item });
        await expect(schedule.waitFor(items.next())).rejects.toThrow(`item ${failAt}`);
        expect(await schedule.waitFor(items.next())).toEqual({ done: true, value: undefined });
      }),
    );
  });
});
