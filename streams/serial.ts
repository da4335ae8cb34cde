/** @file The asynchronous step of a chain: one item in flight, order kept. */
import type { Disposable, Sink } from 'most';
import type { Carried } from './credit.js';
import { asError, closable, operator, Stage, type Operator } from './flow.js';

/**
 * Maps items by `step`, one at a time, in order. A rejection fails the flow; the end of the source waits for the item
 * in flight. Disposal waits for the running step too, so nothing of it runs after `drain` has settled.
 */
export function serial<A, B>(step: (value: A) => B | PromiseLike<B>): Operator<A, B> {
  return operator((sink, scheduler, connect) => {
    const stage = new SerialStage(step, sink, () => scheduler.now());
    return closable(connect(stage), stage);
  });
}

class SerialStage<A, B> extends Stage<A, B> implements Disposable<never> {
  readonly #waiting: Carried<A>[] = [];
  #running: Promise<void> | undefined;
  #sourceEnded = false;

  constructor(
    private readonly step: (value: A) => B | PromiseLike<B>,
    sink: Sink<Carried<B>>,
    private readonly now: () => number,
  ) {
    super(sink);
  }

  protected override take(_time: number, item: Carried<A>): void {
    this.#waiting.push(item);
    this.#running ??= this.#work();
  }

  override end(time: number): void {
    this.#sourceEnded = true;
    if (this.#running === undefined) super.end(time);
  }

  override error(time: number, error: Error): void {
    this.#drop();
    super.error(time, error);
  }

  dispose(): Promise<never> {
    this.open = false;
    this.#drop();
    return Promise.resolve(this.#running) as Promise<never>;
  }

  async #work(): Promise<void> {
    for (let item = this.#waiting.shift(); item !== undefined; item = this.#waiting.shift()) {
      try {
        const value = await this.step(item.value);
        if (this.isOpen()) this.sink.event(this.now(), item.with(value));
        else item.release();
      } catch (error) {
        item.release();
        this.error(this.now(), asError(error));
      }
    }
    this.#running = undefined;
    if (this.#sourceEnded) super.end(this.now());
  }

  /** A call, because `open` may change during an await. */
  private isOpen(): boolean {
    return this.open;
  }

  #drop(): void {
    for (const item of this.#waiting.splice(0)) item.release();
  }
}
