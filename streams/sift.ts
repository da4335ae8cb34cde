/** @file Synchronous operators: map, tap, filter, every n-th, take. What they drop gives its credit back. */
import type { Sink } from 'most';
import type { Carried } from './credit.js';
import { closable, operator, Stage, type Operator } from './flow.js';

/** What a {@link sift} function returns for an item that goes no further. */
export const dropped: unique symbol = Symbol('dropped');

/**
 * An operator with state of its own for each run.
 * @param start called when a run begins; gives the function from value and arrival time (ms) to value or `dropped`.
 */
export function sift<A, B>(start: () => (value: A, time: number) => B | typeof dropped): Operator<A, B> {
  return operator((sink, _scheduler, connect) => connect(new SiftStage(start(), sink)));
}

/** Each value through `f`. */
export function map<A, B>(f: (value: A) => B): Operator<A, B> {
  return sift(() => f);
}

/** Calls `f` with each value, which passes on unchanged. */
export function tap<A>(f: (value: A) => void): Operator<A, A> {
  return map((value) => {
    f(value);
    return value;
  });
}

/** Only the values that `keep` accepts. */
export function filter<A>(keep: (value: A) => boolean): Operator<A, A> {
  return sift(() => (value) => (keep(value) ? value : dropped));
}

/** The n-th value, the 2n-th, … */
export function everyNth<A>(n: number): Operator<A, A> {
  return sift(() => {
    let seen = 0;
    return (value) => (++seen % n === 0 ? value : dropped);
  });
}

/** The first `count` values. The source is closed before the last of them passes on, so it is never read further. */
export function take<A>(count: number): Operator<A, A> {
  return operator((sink, scheduler, connect) => {
    const stage = new TakeStage(count, sink);
    if (count <= 0) {
      void Promise.resolve().then(() => stage.end(scheduler.now()));
      return closable();
    }
    const source = connect(stage);
    stage.close = () => void source.dispose().catch(() => undefined); // drain hears of it
    return source;
  });
}

class SiftStage<A, B> extends Stage<A, B> {
  constructor(
    private readonly f: (value: A, time: number) => B | typeof dropped,
    sink: Sink<Carried<B>>,
  ) {
    super(sink);
  }

  protected override take(time: number, item: Carried<A>): void {
    const value = this.f(item.value, time);
    if (value === dropped) item.release();
    else this.sink.event(time, item.with(value));
  }
}

class TakeStage<A> extends Stage<A, A> {
  close: () => void = () => undefined;

  constructor(
    private left: number,
    sink: Sink<Carried<A>>,
  ) {
    super(sink);
  }

  protected override take(time: number, item: Carried<A>): void {
    this.left -= 1;
    const last = this.left === 0;
    if (last) this.close();
    this.sink.event(time, item);
    if (last) this.end(time);
  }
}
