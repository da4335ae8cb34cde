/**
 * @file Laws of stream operators. `obeysStreamLaws` takes any operator and what it means for plain arrays, and checks:
 * order, credits, one ending, errors, and that a stop at any moment leaves nothing open.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { collect, Control, drain, pull, serial, type Flow, type Operator } from '../streams/index.js';
import { Probe, waiter, type Wait } from './probe.js';

export { Probe, waiter, type Wait };

export interface StreamSubject<B> {
  /** A fresh operator; `wait` delays its asynchronous work, if it has any. */
  readonly operator: (wait: Wait) => Operator<number, B>;
  /** What it makes of a whole input. */
  readonly model: (input: readonly number[]) => readonly B[];
  /** It gives credits back at once, so that a slow consumer does not slow the source. */
  readonly decoupled?: boolean;
}

/** All stream laws, one after the other. */
export async function obeysStreamLaws<B>(subject: StreamSubject<B>): Promise<void> {
  await keepsOrder(subject);
  await staysWithinCredits(subject);
  await endsOnce(subject);
  await stopsAtAnyMoment(subject);
  await givesUpAtAnyMoment(subject);
}

const inputs = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 12 });
const creditCounts = fc.integer({ min: 1, max: 4 });

/** The output is the model's output, for any schedule and any number of credits; no item's credit is lost on the way. */
export async function keepsOrder<B>({ operator, model }: StreamSubject<B>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), inputs, creditCounts, async (scheduler, input, credits) => {
      const wait = waiter(scheduler);
      const source = new Probe(input, wait);
      const output = await finish(scheduler, collect(pull(source, { credits }).through(operator(wait))));
      expect(output).toEqual(model(input));
      expect(source.overlapped).toBe(false);
      await nothingOpen(scheduler, source);
    }),
  );
}

/** Behind a consumer that never finishes, the source is read until the credits are taken and no further. */
export async function staysWithinCredits<B>({ operator, model, decoupled }: StreamSubject<B>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), inputs, creditCounts, async (scheduler, input, credits) => {
      if (decoupled === true) return;
      const wait = waiter(scheduler);
      const source = new Probe(input, wait);
      const parked = serial(() => new Promise<never>(() => undefined));
      void drain(pull(source, { credits }).through(operator(wait), parked));
      await scheduler.waitIdle();
      const full = input.findIndex((_, last) => model(input.slice(0, last + 1)).length >= credits);
      expect(source.pulled).toBeLessThanOrEqual(full < 0 ? input.length : full + 1);
    }),
  );
}

/** One ending and nothing after it; a source that fails passes its error on, and what came before it still arrives. */
export async function endsOnce<B>({ operator, model }: StreamSubject<B>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), inputs, fc.nat(16), async (scheduler, input, failAt) => {
      const wait = waiter(scheduler);
      const source = new Probe(input, wait, failAt);
      const heard = await listen(scheduler, pull(source).through(operator(wait)));
      const seen = input.slice(0, failAt);
      const ending = source.failed ? 'source failed' : 'ended';
      if (source.failed) expect(heard.slice(0, -1)).toEqual(model(seen));
      expect(heard.filter((each) => typeof each === 'string')).toEqual([ending]);
      expect(heard.at(-1)).toBe(ending);
    }),
  );
}

/** An operator that throws `operator failed` at some item fails the flow with it, once, and nothing comes after. */
export async function failsOnce(failing: (wait: Wait) => Operator<number, unknown>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), inputs, creditCounts, async (scheduler, input, credits) => {
      const wait = waiter(scheduler);
      const flow = pull(new Probe(input, wait), { credits }).through(failing(wait));
      const endings = (await listen(scheduler, flow)).filter((each) => typeof each === 'string');
      expect(endings).toHaveLength(1);
      expect(['ended', 'operator failed']).toContain(endings[0]);
    }),
  );
}

/** A stop at any scheduled moment ends the flow without error; the iterator is closed and nothing is read after. */
export async function stopsAtAnyMoment<B>({ operator }: StreamSubject<B>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      inputs,
      creditCounts,
      fc.nat(20),
      async (scheduler, input, credits, at) => {
        const wait = waiter(scheduler);
        const source = new Probe(input, wait);
        const control = new Control();
        void stopAfter(at, wait, () => control.stop());
        const ending = await settled(scheduler, pull(source, { credits, control }).through(operator(wait)));
        expect(ending).toBe('ended');
        await nothingOpen(scheduler, source);
      },
    ),
  );
}

/** An abort at any scheduled moment rejects; by then the iterator is closed and no work of the operator runs. */
export async function givesUpAtAnyMoment<B>({ operator }: StreamSubject<B>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), inputs, fc.nat(20), async (scheduler, input, at) => {
      const wait = waiter(scheduler);
      const source = new Probe(input, wait);
      const abort = new AbortController();
      let working = 0;
      let workingAtTheEnd = 0;
      const counted: Wait = async (value) => {
        working += 1;
        await wait(undefined);
        working -= 1;
        return value;
      };
      void stopAfter(at, wait, () => abort.abort(new Error('given up')));
      const flow = pull(source).through(operator(counted));
      const ending = settled(scheduler, flow, abort.signal, () => (workingAtTheEnd = working));
      expect(['ended', 'given up']).toContain(await ending);
      expect(workingAtTheEnd).toBe(0);
      await nothingOpen(scheduler, source);
    }),
  );
}

async function stopAfter(moments: number, wait: Wait, stop: () => void): Promise<void> {
  for (let moment = 0; moment < moments; moment++) await wait(undefined);
  stop();
}

/** All that a sink hears of a flow, without anyone disposing it: values, `ended`, the messages of errors. */
async function listen(scheduler: fc.Scheduler, flow: Flow<unknown>): Promise<unknown[]> {
  const heard: unknown[] = [];
  flow.items.run(
    {
      event: (_time, item) => {
        heard.push(item.value);
        item.release();
      },
      end: () => heard.push('ended'),
      error: (_time, error) => heard.push(error.message),
    },
    { now: () => 0 } as Parameters<typeof flow.items.run>[1],
  );
  await scheduler.waitIdle();
  return heard;
}

/** How the flow ended: `ended`, or the error's message. */
async function settled(
  scheduler: fc.Scheduler,
  flow: Flow<unknown>,
  signal?: AbortSignal,
  atTheEnd?: () => void,
): Promise<string> {
  const run = drain(flow, signal === undefined ? {} : { signal }).finally(atTheEnd);
  const ending = run.then(
    () => 'ended',
    (error: unknown) => (error as Error).message,
  );
  return finish(scheduler, ending);
}

/** Runs everything that is scheduled; a promise that is open after that would be open for ever. */
export async function finish<T>(scheduler: fc.Scheduler, promise: Promise<T>): Promise<T> {
  const starved = Symbol('starved');
  await scheduler.waitIdle();
  const outcome = await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, starved))]);
  if (outcome === starved) throw new Error('the flow waits for ever: a credit or an ending was lost');
  return outcome as T;
}

/** Closed once, or read to the end; and whatever is still scheduled reads nothing more. */
async function nothingOpen(scheduler: fc.Scheduler, source: Probe): Promise<void> {
  expect(source.open).toBe(false);
  expect(source.returned).toBeLessThanOrEqual(1);
  const calls = source.calls;
  await scheduler.waitIdle();
  expect(source.calls).toBe(calls);
}
