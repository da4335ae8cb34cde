/**
 * @file What was measured and has not been sent yet. A write to a socket costs the same for one metric as for many, so
 * the more viewers there are, the more metrics wait for one another: the cost of serving has a bound, whoever watches.
 */
import type { Metric } from '../streams/index.js';
import { Bundle, updateOf, type Update } from './bundle.js';

/** To all viewers together. */
const WRITES_PER_SECOND = 1000;
/** Bytes that wait for no clock. */
const LARGEST = 64 << 10;

export class Outbox {
  #waiting: Update[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushed = -Infinity;

  /** @param deliver gets what waited. @param viewers how many there are now. */
  constructor(
    private readonly deliver: (bundle: Bundle) => void,
    private readonly viewers: () => number,
  ) {}

  add(metric: Metric): void {
    const update = updateOf(metric);
    this.#waiting.push(update);
    this.#bytes += update.frame.length;
    if (this.#bytes > LARGEST) {
      this.flush();
      return;
    }
    const due = this.#flushed + (1000 * this.viewers()) / WRITES_PER_SECOND;
    this.#timer ??= setTimeout(() => this.flush(), due - performance.now());
  }

  /** Delivers at once. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const bundle = new Bundle(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    this.#flushed = performance.now();
    this.deliver(bundle);
  }
}
