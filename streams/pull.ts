/** @file The demand-driven source: reads an async iterable only as fast as the end of the chain gives credits back. */
import type { Disposable, Scheduler, Sink } from 'most';
import { complain } from '../foundation/index.js';
import { Control } from './control.js';
import { Carried, credit } from './credit.js';
import { asError, Flow } from './flow.js';
import { Gauge } from './gauge.js';

export interface PullOptions {
  /** Items between the source and the end of the chain, at most. One by default: a step sees the last one's update. */
  readonly credits?: number;
  /** Pauses, resumes and stops the source between items. */
  readonly control?: Control;
  /** Counts the items, and the time that a free credit waited for the source. */
  readonly gauge?: Gauge;
}

/**
 * A flow of the items of `source`, in order. `next()` is called when a credit is free and never twice at once. The
 * iterator's `return()` is called once if the flow stops, fails downstream or is disposed before the source is done.
 * @throws STREAM_CREDITS unless `credits` is a positive whole number.
 */
export function pull<T>(source: AsyncIterable<T> | Iterable<T>, options: PullOptions = {}): Flow<T> {
  const credits = options.credits ?? 1;
  if (!Number.isSafeInteger(credits) || credits < 1) {
    complain({
      code: 'STREAM_CREDITS',
      owner: 'pull',
      expected: 'a whole number of credits, at least 1',
      got: String(credits),
      hint: 'leave it out for one item at a time',
    });
  }
  const { control = new Control(), gauge = new Gauge() } = options;
  return new Flow({
    run: (sink, scheduler) => new Pump(source, credits, control, gauge, sink, scheduler),
  });
}

class Pump<T> implements Disposable<Carried<T>> {
  readonly #iterator: AsyncIterator<T> | Iterator<T>;
  readonly #forget: () => void;
  #disposed = false;
  #exhausted = false;
  #closing: Promise<void> | undefined;
  #wake: () => void = () => undefined;

  constructor(
    source: AsyncIterable<T> | Iterable<T>,
    private credits: number,
    private readonly control: Control,
    private readonly gauge: Gauge,
    private readonly sink: Sink<Carried<T>>,
    private readonly scheduler: Scheduler,
  ) {
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    this.#forget = control.onChange(() => this.#wake());
    void this.#run();
  }

  dispose(): Promise<never> {
    this.#disposed = true;
    this.#wake();
    return this.#close() as Promise<never>;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // every observer of a shared flow is there before its first item
    try {
      while (await this.#mayRead()) {
        const next = await this.#read();
        if (next === undefined) break;
        this.credits -= 1;
        this.sink.event(
          this.scheduler.now(),
          new Carried(
            next.value,
            credit(() => this.#giveBack()),
          ),
        );
      }
      await this.#close();
      if (!this.#disposed) this.sink.end(this.scheduler.now());
    } catch (error) {
      this.#forget();
      if (!this.#disposed) this.sink.error(this.scheduler.now(), asError(error));
    }
  }

  get #over(): boolean {
    return this.#disposed || this.control.state === 'stopped';
  }

  async #mayRead(): Promise<boolean> {
    while (!this.#over && (this.credits === 0 || this.control.state === 'paused')) await this.#change();
    return !this.#over;
  }

  /** The next item, or undefined at the end and when a stop comes first (the unread item is then not ours any more). */
  async #read(): Promise<{ value: T } | undefined> {
    let settled: (() => { value: T } | undefined) | undefined;
    this.gauge.begin();
    const pending = (async () => this.#iterator.next())();
    pending.then(
      (result) => {
        this.#exhausted ||= result.done === true;
        settled = () => (result.done === true ? undefined : { value: result.value });
        this.#wake();
      },
      (error: unknown) => {
        this.#exhausted = true;
        settled = () => {
          throw asError(error);
        };
        this.#wake();
      },
    );
    while (settled === undefined && !this.#over) await this.#change();
    this.gauge.end(settled === undefined || this.#exhausted ? 0 : 1);
    return this.#over ? undefined : settled?.();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #giveBack(): void {
    this.credits += 1;
    this.#wake();
  }

  #close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#forget();
      if (!this.#exhausted) await this.#iterator.return?.();
    })();
    return this.#closing;
  }
}
