import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, Control, drain, everyNth, pull, serial, tap } from '../../streams/index.js';
import { finish, Probe, waiter } from '../laws.js';

const endless = async function* (log: string[]): AsyncGenerator<number> {
  try {
    for (let value = 0; ; value++) yield value;
  } finally {
    log.push('closed');
  }
};

describe('pull', () => {
  it('reads the next item only when the chain is done with the last one', async () => {
    const log: string[] = [];
    const source = async function* (): AsyncGenerator<number> {
      for (let value = 0; value < 3; value++) {
        log.push(`read ${value}`);
        yield value;
      }
    };
    const step = async (value: number): Promise<void> => {
      await new Promise(setImmediate);
      log.push(`done ${value}`);
    };
    await drain(pull(source()).through(serial(step)));
    expect(log).toEqual(['read 0', 'done 0', 'read 1', 'done 1', 'read 2', 'done 2']);
  });

  it('keeps memory flat over an endless source of which little arrives', async () => {
    const log: string[] = [];
    const control = new Control();
    const seen: number[] = [];
    const flow = pull(endless(log), { control }).through(
      everyNth(1000),
      tap((value) => seen.push(value) === 20 && control.stop()),
    );
    await drain(flow);
    expect(seen.at(-1)).toBe(19_999);
    expect(log).toEqual(['closed']);
  });

  it('fails with the step that failed, after the source is closed', async () => {
    const log: string[] = [];
    const step = async (value: number): Promise<number> => {
      if (value === 3) throw new Error('step 3 failed');
      return value;
    };
    await expect(drain(pull(endless(log)).through(serial(step)))).rejects.toThrow('step 3 failed');
    expect(log).toEqual(['closed']);
  });

  it('fails when a synchronous operator throws, instead of hanging', async () => {
    const log: string[] = [];
    const boom = tap<number>(() => {
      throw new Error('boom');
    });
    await expect(drain(pull(endless(log)).through(boom))).rejects.toThrow('boom');
    expect(log).toEqual(['closed']);
  });

  it('reports a source that fails while it is closed', async () => {
    const source = async function* (): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        throw new Error('close failed');
      }
    };
    const control = new Control();
    const flow = pull(source(), { control }).through(tap(() => control.stop()));
    await expect(drain(flow)).rejects.toThrow('close failed');
  });

  it('takes synchronous iterables too, and closes them', async () => {
    expect(await collect(pull([1, 2, 3]))).toEqual([1, 2, 3]);
  });

  it('refuses a number of credits that is not a positive integer', () => {
    for (const credits of [0, -1, 1.5, Number.NaN]) {
      expect(() => pull([1], { credits })).toThrow(/pull: expected a whole number of credits/);
    }
  });
});

describe('Control', () => {
  it('pauses between items and loses none, at any scheduled moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(15), async (scheduler, at) => {
        const wait = waiter(scheduler);
        const source = new Probe([1, 2, 3, 4, 5], wait);
        const control = new Control();
        const run = collect(pull(source, { control }).through(serial((value: number) => wait(value))));
        let callsAtPause = 0;
        const pause = async (): Promise<void> => {
          for (let moment = 0; moment < at; moment++) await wait(undefined);
          control.pause();
          callsAtPause = source.calls;
        };
        void pause();
        await scheduler.waitIdle();
        expect(source.calls).toBe(callsAtPause);
        expect(control.state).toBe('paused');
        control.resume();
        expect(await finish(scheduler, run)).toEqual([1, 2, 3, 4, 5]);
      }),
    );
  });

  it('ends a paused flow when it is stopped, and stays stopped', async () => {
    const log: string[] = [];
    const control = new Control();
    control.pause();
    const run = drain(pull(endless(log), { control }));
    control.stop();
    control.resume();
    await run;
    expect(control.state).toBe('stopped');
    expect(control.signal.aborted).toBe(true);
    expect(log).toEqual([]); // a generator that never started has nothing to close
  });

  it('finishes the item in flight on stop', async () => {
    const control = new Control();
    const done: number[] = [];
    const step = async (value: number): Promise<void> => {
      control.stop();
      await new Promise(setImmediate);
      done.push(value);
    };
    await drain(pull(endless([]), { control }).through(serial(step)));
    expect(done).toEqual([0]);
  });

  it('stops when the signal that it was given aborts', async () => {
    const abort = new AbortController();
    const control = new Control(abort.signal);
    const states: string[] = [];
    control.onChange((state) => states.push(state));
    control.pause();
    abort.abort();
    expect(states).toEqual(['paused', 'stopped']);
    expect(new Control(AbortSignal.abort()).state).toBe('stopped');
  });

  it('wakes a source that waits for its data', async () => {
    const control = new Control();
    let returned = 0;
    const stuck: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: async () => ({ done: true, value: (returned += 1) }),
      }),
    };
    const run = drain(pull(stuck, { control }));
    await new Promise(setImmediate);
    control.stop();
    await run;
    expect(returned).toBe(1);
  });
});
