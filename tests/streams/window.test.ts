import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  collect,
  drain,
  latest,
  pull,
  rate,
  rollingMean,
  serial,
  tap,
  type DrainOptions,
} from '../../streams/index.js';

type Scheduler = NonNullable<DrainOptions['scheduler']>;
type Task = Parameters<Scheduler['delay']>[1];

/** A scheduler whose time moves only by `advance`. */
function virtualTime(): Scheduler & { advance(milliseconds: number): void; readonly waiting: number } {
  let now = 0;
  let tasks: { at: number; task: Task }[] = [];
  const delay = (milliseconds: number, task: Task): ReturnType<Scheduler['delay']> => {
    const entry = { at: now + milliseconds, task };
    tasks.push(entry);
    return {
      task,
      run: () => task.run(now),
      error: (error) => task.error(now, error),
      dispose: () => void (tasks = tasks.filter((other) => other !== entry)),
    };
  };
  const scheduler = {
    now: () => now,
    delay,
    advance(milliseconds: number) {
      const until = now + milliseconds;
      for (;;) {
        const due = tasks.filter((each) => each.at <= until).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        tasks = tasks.filter((each) => each !== due);
        now = due.at;
        due.task.run(now);
      }
      now = until;
    },
    get waiting() {
      return tasks.length;
    },
  };
  return scheduler as unknown as ReturnType<typeof virtualTime>;
}

/** Yields each value after time has moved by its gap. */
async function* timed(time: ReturnType<typeof virtualTime>, gaps: readonly number[]): AsyncGenerator<number> {
  for (const [value, gap] of gaps.entries()) {
    time.advance(gap);
    yield value;
  }
}

describe('rollingMean', () => {
  it('is the mean of the last values, to float tolerance, after any history', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true })),
        fc.integer({ min: 1, max: 9 }),
        async (values, size) => {
          const means = await collect(pull(values).through(rollingMean(size)));
          means.forEach((mean, at) => {
            const window = values.slice(Math.max(0, at + 1 - size), at + 1);
            expect(mean).toBeCloseTo(window.reduce((sum, each) => sum + each, 0) / window.length, 9);
          });
          expect(means).toHaveLength(values.length);
        },
      ),
    );
  });
});

describe('rate', () => {
  it('is the amount per second over the window', async () => {
    const time = virtualTime();
    const rates = await collect(pull(timed(time, [0, 500, 500, 2000])).through(rate(2, () => 10)), {
      scheduler: time,
    });
    expect(rates).toEqual([20, 20, 8]); // 10 / 0.5 s, 20 / 1 s, 20 / 2.5 s
  });

  it('says nothing while no time has passed', async () => {
    const time = virtualTime();
    expect(await collect(pull(timed(time, [0, 0, 0])).through(rate(5)), { scheduler: time })).toEqual([]);
  });
});

describe('latest', () => {
  it('delivers at most one value each period, the newest, and always the last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1 }), async (gaps) => {
        const time = virtualTime();
        const seen: { value: number; at: number }[] = [];
        const flow = pull(timed(time, gaps)).through(
          latest(50),
          tap((value) => seen.push({ value, at: time.now() })),
        );
        await drain(flow, { scheduler: time });
        expect(seen.at(-1)?.value).toBe(gaps.length - 1);
        seen.forEach((each, index) => {
          const before = seen[index - 1];
          if (before === undefined) return;
          expect(each.value).toBeGreaterThan(before.value);
          if (index < seen.length - 1) expect(each.at - before.at).toBeGreaterThanOrEqual(50);
        });
        expect(time.waiting).toBe(0);
      }),
    );
  });

  it('never slows the source: a consumer that is busy for ever misses values, the source ends', async () => {
    let read = 0;
    const source = async function* (): AsyncGenerator<number> {
      for (; read < 100; read++) yield read;
    };
    const started: number[] = [];
    const busy = serial((value: number) => {
      started.push(value);
      return new Promise<never>(() => undefined);
    });
    void drain(pull(source()).through(latest(), busy));
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(read).toBe(100);
    expect(started).toEqual([0]);
  });

  it('leaves no timer when it is given up', async () => {
    const time = virtualTime();
    const abort = new AbortController();
    const flow = pull(timed(time, [0, 1, 1, 1])).through(
      latest(50),
      tap(() => abort.abort(new Error('given up'))),
    );
    await expect(drain(flow, { scheduler: time, signal: abort.signal })).rejects.toThrow('given up');
    expect(time.waiting).toBe(0);
  });
});
