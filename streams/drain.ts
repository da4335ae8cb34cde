/** @file The end of a chain: runs it, gives every credit back, and settles when nothing of it is open any more. */
import { defaultScheduler, type Disposable, type Scheduler, type Sink } from 'most';
import type { Carried } from './credit.js';
import { asError, type Flow } from './flow.js';

export interface DrainOptions {
  /** Ends the run at once: the source is closed, the step in flight is waited for, its result is dropped. */
  readonly signal?: AbortSignal;
  /** Time for `latest` and `rate`; most's scheduler by default, a virtual one in tests. */
  readonly scheduler?: Scheduler;
}

/**
 * Runs the flow to its end. Resolves when it ended and everything is disposed; rejects with the first error, after
 * everything is disposed; an aborted `signal` rejects with the signal's reason.
 */
export function drain<T>(flow: Flow<T>, options: DrainOptions = {}): Promise<void> {
  return run(flow, () => undefined, options);
}

/** Runs the flow to its end and gives its values, in order. Keeps all of them: for short flows and tests. */
export async function collect<T>(flow: Flow<T>, options: DrainOptions = {}): Promise<T[]> {
  const values: T[] = [];
  await run(flow, (value) => values.push(value), options);
  return values;
}

/** Drains the observers of a shared flow together: when one fails, the others are given up, and its error is thrown. */
export async function drainAll(flows: readonly Flow<unknown>[], options: DrainOptions = {}): Promise<void> {
  const failed = new AbortController();
  const signal =
    options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const runs = flows.map((flow) =>
    drain(flow, { ...options, signal }).catch((error: unknown) => {
      failed.abort(error); // only the first call counts
      throw failed.signal.reason;
    }),
  );
  await Promise.allSettled(runs);
  await Promise.all(runs);
}

async function run<T>(flow: Flow<T>, each: (value: T) => void, options: DrainOptions): Promise<void> {
  const { signal, scheduler = defaultScheduler } = options;
  signal?.throwIfAborted();
  let source: Disposable<Carried<T>> | undefined;
  let abort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(asError(signal?.reason));
      signal?.addEventListener('abort', abort, { once: true });
      source = flow.items.run(new End(each, resolve, reject), scheduler);
    });
  } catch (error) {
    // The first error is the cause; one in closing after it would only hide it.
    await Promise.resolve(source?.dispose()).catch(() => undefined);
    throw error;
  } finally {
    if (abort !== undefined) signal?.removeEventListener('abort', abort);
  }
  await source?.dispose();
}

class End<T> implements Sink<Carried<T>> {
  constructor(
    private readonly each: (value: T) => void,
    private readonly resolve: () => void,
    private readonly reject: (error: Error) => void,
  ) {}

  event(_time: number, item: Carried<T>): void {
    this.each(item.value);
    item.release();
  }

  end(): void {
    this.resolve();
  }

  error(_time: number, error: Error): void {
    this.reject(error);
  }
}
