/** @file What a part of a graph has done so far: items, and the seconds that they took. For people; no imports. */

/** Counts of one part that works on one item at a time. Results never depend on it. */
export class Gauge {
  #items = 0;
  #seconds = 0;
  #since: number | undefined;

  /** @param now a clock, milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Items that are done. */
  get items(): number {
    return this.#items;
  }

  /** Seconds of work until now, those on an item that is not done included. */
  get seconds(): number {
    return this.#seconds + (this.#since === undefined ? 0 : (this.now() - this.#since) / 1000);
  }

  get busy(): boolean {
    return this.#since !== undefined;
  }

  begin(): void {
    this.#since = this.now();
  }

  /** @param items how many it was; 0 where nothing came of it */
  end(items = 1): void {
    this.#seconds = this.seconds;
    this.#items += items;
    this.#since = undefined;
  }

  /** Counts an item that is `work`; its time, too, where it fails. */
  async during<T>(work: () => T | PromiseLike<T>): Promise<T> {
    this.begin();
    try {
      const result = await work();
      this.end();
      return result;
    } finally {
      if (this.busy) this.end(0);
    }
  }
}
