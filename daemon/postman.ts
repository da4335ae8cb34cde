/**
 * @file Tells webhooks what has happened to runs of this daemon's own queue, at least once: letters are on disk with what they
 * tell of, and go from there when they were received.
 */
import type { Metric } from '../streams/index.js';
import { Courier, placeOf, type CourierParts, type Mailbag } from './courier.js';
import type { WaitingLetter } from './outbox.js';
import type { Store } from './store.js';
import { crossedBy, letter, lettersOf, type Webhook } from './webhooks.js';

export interface PostmanParts extends Omit<CourierParts, 'failed'> {
  readonly store: Store;
  readonly hooks: readonly Webhook[];
}

/* The disk answers at once; methods of a mailbag are asynchronous because those of others are. */
export class Postman implements Mailbag<WaitingLetter> {
  #hooks: readonly Webhook[];
  readonly #courier: Courier<WaitingLetter>;
  readonly #now: () => number;
  /** Thresholds that are known to have been told of, to spare the disk. */
  readonly #told = new Set<string>();

  constructor(private readonly parts: PostmanParts) {
    this.#hooks = parts.hooks;
    this.#now = parts.now ?? Date.now;
    this.#courier = new Courier(this, { ...parts, failed: (error) => this.#complain(error) });
    parts.store.announce = (happened) => {
      const letters = lettersOf(this.#hooks, happened);
      if (letters.length > 0) this.#soon();
      return letters;
    };
  }

  /** Goes on with what waits. */
  start(): void {
    this.configure(this.#hooks);
  }

  /** Letters to addresses that are no longer named are dropped. */
  configure(hooks: readonly Webhook[]): void {
    this.#hooks = hooks;
    const { outbox } = this.parts.store;
    this.#try(() => {
      for (const url of outbox.urls().filter((each) => !hooks.some((hook) => hook.url === each)))
        this.parts.log('warn', 'letters to a former webhook dropped', {
          ...{ to: placeOf(url), letters: outbox.forget(url) },
        });
    });
    this.#courier.configure(hooks);
  }

  /** Looks whether a metric of a run got beyond a threshold: once for each arm of it. */
  readonly hear = (run: string, measured: Metric): void => {
    for (const { hook, threshold } of crossedBy(this.#hooks, measured)) {
      const what = JSON.stringify([run, measured.run, hook.url, threshold]);
      if (this.#told.has(what)) continue;
      this.#try(() => {
        const { store } = this.parts;
        const telling = { event: 'threshold', run: store.find(run), now: this.#now(), measured } as const;
        if (store.post(letter(hook, telling), what)) this.#soon();
        this.#told.add(what);
      });
    }
  };

  async take({ url }: Webhook, now: number): Promise<WaitingLetter | undefined> {
    return this.parts.store.outbox.due(url, now);
  }

  async remove({ id }: WaitingLetter): Promise<void> {
    this.parts.store.outbox.remove(id);
  }

  async retry({ id }: WaitingLetter, wait: number, now: number): Promise<void> {
    this.parts.store.outbox.retry(id, now + wait);
  }

  rest({ url }: Webhook, now: number): number | undefined {
    const next = this.parts.store.outbox.next(url, now);
    return next && next - now;
  }

  /** What is under way is broken off, and tried again by the next daemon. */
  close(): Promise<void> {
    return this.#courier.close();
  }

  /** When the transaction is done. */
  #soon(): void {
    setTimeout(() => this.#courier.wake(), 0).unref();
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    this.parts.log('error', error instanceof Error ? error.message : String(error));
  }
}
