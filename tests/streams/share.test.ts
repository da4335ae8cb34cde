import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  collect,
  Control,
  drain,
  drainAll,
  filter,
  latest,
  pull,
  serial,
  share,
  tap,
} from '../../streams/index.js';
import { finish, Probe, waiter } from '../laws.js';

describe('share', () => {
  it('runs the source once, gives every observer every item, and waits for the slowest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.integer(), { maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        async (scheduler, input, credits) => {
          const wait = waiter(scheduler);
          const source = new Probe(input, wait);
          let runs = 0;
          const counted = {
            [Symbol.asyncIterator]: () => {
              runs += 1;
              return source[Symbol.asyncIterator]();
            },
          };
          const shared = pull(counted, { credits }).through(share());
          const slow = serial((value: number) => wait(value));
          const run = Promise.all([
            collect(shared),
            collect(shared.through(slow)),
            collect(shared.through(slow, slow)),
            collect(shared.through(filter((value) => value > 0))),
          ]);
          const [plain, once, twice, positive] = await finish(scheduler, run);
          expect(plain).toEqual(input);
          expect(once).toEqual(input);
          expect(twice).toEqual(input);
          expect(positive).toEqual(input.filter((value) => value > 0));
          expect(runs).toBe(1);
        },
      ),
    );
  });

  it('does not read on while one observer is busy', async () => {
    const wait = async <T>(value: T): Promise<T> => value;
    const source = new Probe([1, 2, 3], wait);
    const shared = pull(source).through(share());
    void drain(shared);
    void drain(shared.through(serial(() => new Promise<never>(() => undefined))));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(source.pulled).toBe(1);
  });

  it('lets a late observer join, and tells one that comes after the end how it ended', async () => {
    const shared = pull([1, 2, 3]).through(share());
    const late: Promise<number[]>[] = [];
    await drain(shared.through(tap((value) => value === 1 && late.push(collect(shared)))));
    expect(await late[0]).toEqual([2, 3]);
    expect(await collect(shared)).toEqual([]);

    const failing = pull([1]).through(
      tap(() => {
        throw new Error('broken');
      }),
      share(),
    );
    await expect(drain(failing)).rejects.toThrow('broken');
    await expect(drain(failing)).rejects.toThrow('broken');
  });

  it('closes the source when the last observer has left, at any scheduled moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(10), fc.nat(10), async (scheduler, first, second) => {
        const wait = waiter(scheduler);
        const source = new Probe([1, 2, 3, 4], wait);
        const shared = pull(source).through(share());
        const leave = async (moments: number, abort: AbortController): Promise<void> => {
          for (let moment = 0; moment < moments; moment++) await wait(undefined);
          abort.abort(new Error('left'));
        };
        const runs = [first, second].map((moments) => {
          const abort = new AbortController();
          const run = drain(shared.through(serial((value) => wait(value))), { signal: abort.signal });
          void leave(moments, abort);
          return run;
        });
        await finish(scheduler, Promise.allSettled(runs));
        expect(source.open).toBe(false);
      }),
    );
  });
});

describe('drainAll', () => {
  it('gives up the other observers when one fails, and throws its error', async () => {
    const source = new Probe(
      Array.from({ length: 1000 }, (_, at) => at),
      async (value) => value,
    );
    const shared = pull(source).through(share());
    const failing = serial(async (value: number) => {
      if (value === 2) throw new Error('observer failed');
    });
    const run = drainAll([
      shared,
      shared.through(failing),
      shared.through(
        latest(),
        serial(async () => undefined),
      ),
    ]);
    await expect(run).rejects.toThrow('observer failed');
    expect(source.open).toBe(false);
    expect(source.pulled).toBeLessThan(10);
  });

  it('resolves when all have ended', async () => {
    const control = new Control();
    const shared = pull([1, 2, 3], { control }).through(share());
    await drainAll([shared, shared.through(tap((value) => value === 2 && control.stop()))]);
    expect(control.state).toBe('stopped');
  });
});
