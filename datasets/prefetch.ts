/** @file Works ahead of its consumer, by a bounded number of items. Knows nothing about what the items are. */

/** What is made ahead of its consumer. */
export interface Prefetched<T> extends AsyncIterableIterator<T, undefined> {
  /** Items made and not yet taken. */
  readonly ready: number;
}

/**
 * The same items in the same order, up to `ahead` of them made before they are asked for. An error arrives after the
 * items before it. `return()` waits for the item in progress, then closes the source.
 * @param ahead items made and not yet taken, the one in progress included; 0 makes each when asked.
 */
export function prefetch<T>(source: AsyncIterable<T>, ahead: number): Prefetched<T> {
  return new Prefetch(source[Symbol.asyncIterator](), ahead);
}

class Prefetch<T> implements Prefetched<T> {
  ready = 0;
  /** Results in order, settled or in progress. */
  private readonly queue: Promise<IteratorResult<T, undefined>>[] = [];
  private last: Promise<unknown> = Promise.resolve();
  private ended = false;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly source: AsyncIterator<T>,
    private readonly ahead: number,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.closing) return DONE;
    if (this.queue.length === 0) this.request();
    const result = await (this.queue.shift() as Promise<IteratorResult<T, undefined>>);
    if (!result.done) this.ready--;
    if (this.isClosing()) return DONE;
    while (this.queue.length < this.ahead && !this.ended) this.request();
    return result;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.closing ??= this.last.then(async () => {
      await this.source.return?.();
    });
    await this.closing;
    return DONE;
  }

  private isClosing(): boolean {
    return this.closing !== undefined;
  }

  /** Asks the source for one more item once it has given the one before. */
  private request(): void {
    const result = this.last.then(() => this.pull());
    this.last = result.catch(() => undefined);
    this.queue.push(result);
  }

  private async pull(): Promise<IteratorResult<T, undefined>> {
    if (this.ended || this.closing) return DONE;
    try {
      const result = await this.source.next();
      if (!result.done) {
        this.ready++;
        return result;
      }
      this.ended = true;
      return DONE;
    } catch (error) {
      this.ended = true;
      throw error;
    }
  }
}

const DONE = { done: true, value: undefined } as const;
