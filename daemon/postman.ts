/**
 * @file Delivers what has happened to runs to webhooks, at least once: letters are on disk with what they tell of, and go
 * from there when they were received. One at a time for each address, so that one that hangs keeps no other waiting.
 */
import type { Metric } from '../streams/index.js';
import type { Log } from './log.js';
import type { WaitingLetter } from './outbox.js';
import type { Store } from './store.js';
import { headersOf, isBeyond, letter, lettersOf, wants, type Webhook } from './webhooks.js';

export interface PostmanParts {
  readonly store: Store;
  readonly log: Log;
  readonly hooks: readonly Webhook[];
  readonly now?: () => number;
  /** Milliseconds that a receiver may take. */
  readonly patience?: number;
}

const PATIENCE_MILLISECONDS = 10_000;
const FIRST_WAIT_MILLISECONDS = 1000;
const LONGEST_WAIT_MILLISECONDS = 3_600_000;
/** A letter that is older is given up. */
const LONGEST_LIFE_MILLISECONDS = 3 * 86_400_000;
/** Until the disk is asked again, which has refused. */
const AGAIN_MILLISECONDS = 1000;

export class Postman {
  #hooks: readonly Webhook[];
  readonly #now: () => number;
  readonly #busy = new Map<string, Promise<void>>();
  /** Thresholds that are known to have been told of, to spare the disk. */
  readonly #told = new Set<string>();
  readonly #leave = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: PostmanParts) {
    this.#hooks = parts.hooks;
    this.#now = parts.now ?? Date.now;
    parts.store.announce = (happened) => {
      const letters = lettersOf(this.#hooks, happened);
      if (letters.length > 0) this.#soon(0); // when the transaction is done
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
    this.#round();
  }

  /** Looks whether a metric of a run got beyond a threshold: once for each arm of it. */
  readonly hear = (run: string, metric: Metric): void => {
    for (const hook of this.#hooks) {
      const { threshold, url } = hook;
      if (!threshold || !wants(hook, 'threshold') || !isBeyond(threshold, metric)) continue;
      const what = JSON.stringify([run, metric.run, url, threshold]);
      if (this.#told.has(what)) continue;
      this.#try(() => {
        const { store } = this.parts;
        if (store.post(letter(hook, 'threshold', store.find(run), this.#now(), metric), what)) this.#soon(0);
        this.#told.add(what);
      });
    }
  };

  /** What is under way is broken off, and tried again by the next daemon. */
  async close(): Promise<void> {
    this.#leave.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#busy.values());
  }

  #soon(millis: number): void {
    clearTimeout(this.#timer);
    if (!this.#leave.signal.aborted) this.#timer = setTimeout(() => this.#round(), millis).unref();
  }

  /** Takes one letter for every address that nothing goes to now. */
  #round(): void {
    if (this.#leave.signal.aborted) return;
    const { outbox } = this.parts.store;
    const fine = this.#try(() => {
      const now = this.#now();
      for (const hook of this.#hooks) {
        const waiting = this.#busy.has(hook.url) ? undefined : outbox.due(hook.url, now);
        if (waiting) this.#busy.set(hook.url, this.#deliver(hook, waiting));
      }
      const next = outbox.next(now);
      if (next !== undefined) this.#soon(Math.min(LONGEST_WAIT_MILLISECONDS, next - now));
    });
    if (!fine) this.#soon(AGAIN_MILLISECONDS);
  }

  async #deliver(hook: Webhook, waiting: WaitingLetter): Promise<void> {
    const trouble = await this.#post(hook, waiting);
    const aborted = this.#leave.signal.aborted && trouble !== undefined;
    const kept = aborted || this.#try(() => this.#settle(waiting, trouble));
    this.#busy.delete(hook.url);
    this.#soon(kept ? 0 : AGAIN_MILLISECONDS);
  }

  /** @returns what went wrong */
  async #post({ url, secret }: Webhook, waiting: WaitingLetter): Promise<string | undefined> {
    const patience = AbortSignal.timeout(this.parts.patience ?? PATIENCE_MILLISECONDS);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: headersOf(waiting, secret, this.#now()),
        body: waiting.body,
        redirect: 'manual',
        signal: AbortSignal.any([patience, this.#leave.signal]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `status ${response.status}`;
    } catch (error) {
      const { code } = (error as { readonly cause?: { readonly code?: unknown } }).cause ?? {};
      if (typeof code === 'string') return code;
      return error instanceof Error ? error.message : String(error);
    }
  }

  #settle({ id, url, attempts, created }: WaitingLetter, trouble: string | undefined): void {
    const { store, log } = this.parts;
    if (trouble === undefined) {
      store.outbox.remove(id);
      return;
    }
    const fields = { to: placeOf(url), id, attempts: attempts + 1, trouble };
    if (this.#now() - created > LONGEST_LIFE_MILLISECONDS) {
      store.outbox.remove(id);
      log('error', 'webhook given up', fields);
      return;
    }
    store.outbox.retry(
      id,
      this.#now() + Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** attempts),
    );
    if (attempts === 0) log('warn', 'webhook not delivered, to be tried again', fields);
  }

  #try(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.parts.log('error', error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

/** What may be logged of an address: the rest can be a secret. */
function placeOf(url: string): string {
  return new URL(url).origin;
}
