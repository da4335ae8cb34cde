/** @file A source that counts what is done to it, and asynchronous waits whose order fast-check picks. */
import type fc from 'fast-check';

/** Lets an operator under test wait: resolves with the value when the schedule says so. */
export type Wait = <T>(value: T) => Promise<T>;

/** A {@link Wait} whose moments the scheduler picks. */
export function waiter(scheduler: fc.Scheduler): Wait {
  return async (value) => {
    await scheduler.schedule(Promise.resolve());
    return value;
  };
}

/** A source that counts: calls of `next`, items read, overlapping reads, calls of `return`. */
export class Probe implements AsyncIterable<number> {
  opened = false;
  calls = 0;
  pulled = 0;
  returned = 0;
  ended = false;
  failed = false;
  overlapped = false;
  #reading = false;

  constructor(
    private readonly items: readonly number[],
    private readonly wait: Wait,
    private readonly failAt = Number.POSITIVE_INFINITY,
  ) {}

  /** Opened, and neither exhausted nor closed. */
  get open(): boolean {
    return this.opened && !this.ended && this.returned === 0;
  }

  [Symbol.asyncIterator](): AsyncIterator<number> {
    this.opened = true;
    return {
      next: async () => {
        this.calls += 1;
        this.overlapped ||= this.#reading;
        this.#reading = true;
        await this.wait(undefined);
        this.#reading = false;
        if (this.pulled === this.failAt) {
          this.ended = true;
          this.failed = true;
          throw new Error('source failed');
        }
        const value = this.items[this.pulled];
        if (value === undefined) {
          this.ended = true;
          return { done: true, value: undefined };
        }
        this.pulled += 1;
        return { done: false, value };
      },
      return: async () => {
        this.returned += 1;
        await this.wait(undefined);
        return { done: true, value: undefined };
      },
    };
  }
}
