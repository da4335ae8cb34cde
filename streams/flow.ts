/** @file The type of every chain: a most stream of values that carry their credit, and the base of all operators. */
import { Stream, type Disposable, type Scheduler, type Sink, type Source } from 'most';
import type { Carried } from './credit.js';

/** A step of a chain. Made by `serial`, `map`, `share`, … ; applied by {@link Flow.through}. */
export type Operator<A, B> = (flow: Flow<A>) => Flow<B>;

/**
 * A chain of operators over one demand-driven source. Nothing runs until it is drained; every `drain` of an unshared
 * flow is a run of its own.
 */
export class Flow<T> {
  /** @internal Items with their credits; only streams/ touches this. */
  readonly items: Stream<Carried<T>>;

  /** @internal Flows are made by `pull`. */
  constructor(source: Source<Carried<T>>) {
    this.items = new Stream(source);
  }

  /** The flow that passes through the given operators, in this order. */
  through<A>(a: Operator<T, A>): Flow<A>;
  through<A, B>(a: Operator<T, A>, b: Operator<A, B>): Flow<B>;
  through<A, B, C>(a: Operator<T, A>, b: Operator<A, B>, c: Operator<B, C>): Flow<C>;
  through<A, B, C, D>(a: Operator<T, A>, b: Operator<A, B>, c: Operator<B, C>, d: Operator<C, D>): Flow<D>;
  through<A, B, C, D, E>(
    a: Operator<T, A>,
    b: Operator<A, B>,
    c: Operator<B, C>,
    d: Operator<C, D>,
    e: Operator<D, E>,
  ): Flow<E>;
  through<A, B, C, D, E, F>(
    a: Operator<T, A>,
    b: Operator<A, B>,
    c: Operator<B, C>,
    d: Operator<C, D>,
    e: Operator<D, E>,
    f: Operator<E, F>,
  ): Flow<F>;
  through(...operators: readonly Operator<never, unknown>[]): Flow<unknown> {
    return operators.reduce<Flow<unknown>>((flow, operator) => operator(flow as Flow<never>), this);
  }
}

/** A sink that hears nothing after its end or error, and turns what `take` throws into an error of the stream. */
export abstract class Stage<A, B> implements Sink<Carried<A>> {
  protected open = true;

  constructor(protected readonly sink: Sink<Carried<B>>) {}

  /** One item; must pass it on, keep it, or release it. */
  protected abstract take(time: number, item: Carried<A>): void;

  event(time: number, item: Carried<A>): void {
    if (!this.open) {
      item.release();
      return;
    }
    try {
      this.take(time, item);
    } catch (error) {
      item.release();
      this.error(time, asError(error));
    }
  }

  end(time: number): void {
    if (!this.open) return;
    this.open = false;
    this.sink.end(time);
  }

  error(time: number, error: Error): void {
    if (!this.open) return;
    this.open = false;
    this.sink.error(time, error);
  }
}

/** An operator from what it does to a sink and to the source it connects to. */
export function operator<A, B>(
  attach: (
    sink: Sink<Carried<B>>,
    scheduler: Scheduler,
    connect: (stage: Sink<Carried<A>>) => Closable,
  ) => Closable,
): Operator<A, B> {
  return (flow) =>
    new Flow<B>({
      run: (sink, scheduler) =>
        attach(sink, scheduler, (stage) => closable(flow.items.run(stage, scheduler))),
    });
}

/** A disposable whose closing can be awaited; its promise carries no value. */
export interface Closable extends Disposable<never> {
  dispose(): Promise<never>;
}

/** Disposes all at once, and only once; the first failure is reported after all are done. */
export function closable(...parts: readonly Disposable<unknown>[]): Closable {
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const results = await Promise.allSettled(parts.map(async (part) => part.dispose()));
    for (const result of results) if (result.status === 'rejected') throw asError(result.reason);
  };
  return { dispose: () => (closing ??= close()) as Promise<never> };
}

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
