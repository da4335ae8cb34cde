/** @file Windows over a flow: rolling mean, rate, and sampling for slow consumers. */
import type { Disposable, ScheduledTask, Scheduler, Sink } from 'most';
import { Carried, credit } from './credit.js';
import { closable, operator, Stage, type Operator } from './flow.js';
import { dropped, sift } from './sift.js';

/** The mean of the last `size` values, from the first value on. */
export function rollingMean(size: number): Operator<number, number> {
  return sift(() => {
    const window: number[] = [];
    return (value) => {
      window.push(value);
      if (window.length > size) window.shift();
      return window.reduce((sum, each) => sum + each, 0) / window.length; // no running sum: it would drift
    };
  });
}

/**
 * Amount per second over the last `size` intervals between items. The first item only starts the clock.
 * @param amount what an item counts for, e.g. its tokens; 1 by default.
 */
export function rate<A>(size: number, amount: (value: A) => number = () => 1): Operator<A, number> {
  return sift(() => {
    const window: { time: number; amount: number }[] = [];
    return (value, time) => {
      window.push({ time, amount: amount(value) });
      if (window.length > size + 1) window.shift();
      const seconds = (time - (window[0]?.time ?? time)) / 1000;
      if (seconds <= 0) return dropped;
      return window.slice(1).reduce((sum, each) => sum + each.amount, 0) / seconds;
    };
  });
}

/**
 * The newest value whenever the consumer is free, at most one each `milliseconds`; what is overtaken is dropped. The
 * source gets its credit back at once, so a slow consumer behind `latest` never slows the chain before it. The last
 * value is always delivered before the end.
 */
export function latest<A>(milliseconds = 0): Operator<A, A> {
  return operator((sink, scheduler, connect) => {
    const stage = new LatestStage<A>(milliseconds, sink, scheduler);
    return closable(stage, connect(stage));
  });
}

class LatestStage<A> extends Stage<A, A> implements Disposable<never> {
  #newest: { value: A } | undefined;
  #consumerBusy = false;
  #timer: ScheduledTask | undefined;
  #sourceEnded = false;

  constructor(
    private readonly milliseconds: number,
    sink: Sink<Carried<A>>,
    private readonly scheduler: Scheduler,
  ) {
    super(sink);
  }

  protected override take(_time: number, item: Carried<A>): void {
    this.#newest = { value: item.value };
    item.release();
    this.#deliver();
  }

  override end(): void {
    this.#sourceEnded = true;
    this.#deliver();
  }

  override error(time: number, error: Error): void {
    this.dispose();
    this.open = true; // only to pass the error on
    super.error(time, error);
  }

  dispose(): void {
    this.open = false;
    this.#newest = undefined;
    this.#timer?.dispose();
    this.#timer = undefined;
  }

  #deliver(): void {
    if (!this.open || this.#consumerBusy) return;
    const newest = this.#newest;
    const waits = this.#timer !== undefined && !this.#sourceEnded; // the last value does not wait for its turn
    if (newest !== undefined && !waits) {
      this.#newest = undefined;
      this.#consumerBusy = true;
      if (this.milliseconds > 0 && !this.#sourceEnded) this.#startTimer();
      this.sink.event(
        this.scheduler.now(),
        new Carried(
          newest.value,
          credit(() => this.#consumerIsFree()),
        ),
      );
    } else if (newest === undefined && this.#sourceEnded) {
      this.#timer?.dispose();
      super.end(this.scheduler.now());
    }
  }

  #consumerIsFree(): void {
    this.#consumerBusy = false;
    this.#deliver();
  }

  #startTimer(): void {
    this.#timer = this.scheduler.delay(this.milliseconds, {
      run: () => {
        this.#timer = undefined;
        this.#deliver();
      },
      error: (time, error) => this.error(time, error),
      dispose: () => undefined,
    });
  }
}
