import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, pull, serial } from '../../streams/index.js';
import { finish, waiter } from '../laws.js';

describe('serial', () => {
  it('never has more than one item in its step, however many credits there are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 6 }), async (scheduler, credits) => {
        const wait = waiter(scheduler);
        let running = 0;
        const step = async (value: number): Promise<number> => {
          expect(++running).toBe(1);
          await wait(undefined);
          running -= 1;
          return value;
        };
        const run = collect(pull([1, 2, 3, 4, 5], { credits }).through(serial(step)));
        expect(await finish(scheduler, run)).toEqual([1, 2, 3, 4, 5]);
      }),
    );
  });

  it('runs two serial steps at the same time only if there are two credits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 3 }), async (scheduler, credits) => {
        const wait = waiter(scheduler);
        let running = 0;
        let most = 0;
        const step = async (value: number): Promise<number> => {
          most = Math.max(most, ++running);
          await wait(undefined);
          running -= 1;
          return value;
        };
        await finish(scheduler, collect(pull([1, 2, 3, 4], { credits }).through(serial(step), serial(step))));
        expect(most).toBeLessThanOrEqual(Math.min(credits, 2));
      }),
    );
  });

  it('starts no step after one has failed', async () => {
    const started: number[] = [];
    const step = async (value: number): Promise<void> => {
      started.push(value);
      await new Promise(setImmediate);
      throw new Error(`step ${value} failed`);
    };
    const run = collect(pull([1, 2, 3], { credits: 3 }).through(serial(step)));
    await expect(run).rejects.toThrow('step 1 failed');
    expect(started).toEqual([1]);
  });
});
