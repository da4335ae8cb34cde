/**
 * @file What goes to Redis of a run's metrics: few enough of them, however long it trains. They are a stream with a name; when the
 * run is gone on with elsewhere, or has grown too long, another one with what is left of the past takes its place.
 */
import { existsSync } from 'node:fs';
import { History, metricsIn } from '../monitor/index.js';
import type { Metric } from '../streams/index.js';

/** Of each arm and kind, of the past. */
const MOST_PAST = 500;
/** In one stream; there may be as many again as a new one begins with. */
const LONGEST_STREAM = 20_000;
const MOST_AT_ONCE = 500;

export class Feed {
  readonly #past = new History(MOST_PAST);
  #waiting: Metric[] = [];
  #sent = 0;
  #room = LONGEST_STREAM;
  #part = 0;
  #begun: Promise<void> | undefined;

  /** @param epoch of the worker. @param record the file of the run's metrics: what stands in it before the first that is heard is the past */
  constructor(
    private readonly epoch: number,
    private readonly record: string,
  ) {}

  hear(metric: Metric): void {
    this.#begun ??= this.#begin(metric.sequence);
    void this.#begun.then(() => this.#add(metric));
  }

  /** What to send, and the stream that it belongs to. It is gone from here when `send` has resolved. */
  async sent(send: (stream: string, metrics: readonly string[]) => Promise<void>): Promise<void> {
    do {
      const [stream, metrics] = [`${this.epoch}.${this.#part}`, this.#waiting.slice(0, MOST_AT_ONCE)];
      await send(
        stream,
        metrics.map((metric) => JSON.stringify(metric)),
      );
      // A new stream that began meanwhile has them all.
      if (stream === `${this.epoch}.${this.#part}`) this.#waiting.splice(0, metrics.length);
    } while (this.#waiting.length > 0);
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  async #begin(first: number): Promise<void> {
    try {
      if (existsSync(this.record))
        for await (const metric of metricsIn(this.record))
          if (metric.sequence < first) this.#past.add(metric);
    } catch {
      // Its past cannot be read: its present is shown.
    }
    this.#anew();
  }

  #add(metric: Metric): void {
    this.#past.add(metric);
    this.#waiting.push(metric);
    this.#sent += 1;
    if (this.#sent <= this.#room) return;
    this.#part += 1;
    this.#anew();
  }

  #anew(): void {
    this.#waiting = this.#past.after(-1);
    this.#sent = this.#waiting.length;
    this.#room = this.#sent + LONGEST_STREAM;
  }
}
