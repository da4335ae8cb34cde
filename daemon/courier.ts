/**
 * @file Carries letters to webhooks from where they wait: one at a time to each address, so that one that hangs keeps no other
 * waiting, and again until they were received or are too old.
 */
import type { Log } from './log.js';
import type { WaitingLetter } from './outbox.js';
import { headersOf, type Webhook } from './webhooks.js';

/** Where letters wait. What a method throws is told, and tried again. */
export interface Mailbag<L extends WaitingLetter> {
  /** The oldest to an address that may be tried now; nobody else has it until it is settled. */
  take(hook: Webhook, now: number): Promise<L | undefined>;
  /** It was received, or is given up. */
  remove(letter: L): Promise<void>;
  /** It was not received. @param wait milliseconds before which it may not be tried again */
  retry(letter: L, wait: number, now: number): Promise<void>;
  /** Milliseconds after which to look again where there was nothing; undefined: when {@link Courier.wake} is called. */
  rest(hook: Webhook, now: number): number | undefined;
}

export interface CourierParts {
  readonly log: Log;
  /** Hears what went wrong where letters wait. */
  readonly failed: (error: unknown) => void;
  readonly now?: (() => number) | undefined;
  /** Milliseconds that a receiver may take. */
  readonly patience?: number | undefined;
}

export const PATIENCE_MILLISECONDS = 10_000;
const FIRST_WAIT_MILLISECONDS = 1000;
export const LONGEST_WAIT_MILLISECONDS = 3_600_000;
/** A letter that is older is given up. */
export const LONGEST_LIFE_MILLISECONDS = 3 * 86_400_000;
/** Until they are asked again, after what went wrong where letters wait. */
const AGAIN_MILLISECONDS = 1000;

export class Courier<L extends WaitingLetter> {
  #hooks: ReadonlyMap<string, Webhook> = new Map();
  readonly #now: () => number;
  /** By address: what goes there, one after the other. */
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #leave = new AbortController();
  readonly #asleep = new Set<() => void>();
  #woken = 0;

  constructor(
    private readonly bag: Mailbag<L>,
    private readonly parts: CourierParts,
  ) {
    this.#now = parts.now ?? Date.now;
  }

  /** From now on letters go to these addresses, and to no others. */
  configure(hooks: readonly Webhook[]): void {
    this.#hooks = new Map(hooks.map((hook) => [hook.url, hook]));
    for (const { url } of hooks) if (!this.#lanes.has(url)) this.#lanes.set(url, this.#lane(url));
    this.wake();
  }

  /** There is something new. */
  wake(): void {
    this.#woken += 1;
    for (const wake of [...this.#asleep]) wake();
  }

  /** What is under way is broken off. */
  async close(): Promise<void> {
    this.#leave.abort();
    this.wake();
    await Promise.all(this.#lanes.values());
  }

  async #lane(url: string): Promise<void> {
    for (;;) {
      const hook = this.#hooks.get(url);
      if (!hook || this.#leave.signal.aborted) break;
      const woken = this.#woken;
      const rest = await this.#turn(hook);
      if (rest !== 0 && woken === this.#woken) await this.#sleep(rest);
    }
    this.#lanes.delete(url);
  }

  /** @returns milliseconds to rest; undefined: until there is something new */
  async #turn(hook: Webhook): Promise<number | undefined> {
    try {
      const letter = await this.bag.take(hook, this.#now());
      if (!letter) return this.bag.rest(hook, this.#now());
      const trouble = await this.#post(hook, letter);
      const brokenOff = trouble !== undefined && this.#leave.signal.aborted;
      if (!brokenOff) await this.#settle(letter, trouble);
      return 0;
    } catch (error) {
      this.parts.failed(error);
      return AGAIN_MILLISECONDS;
    }
  }

  #sleep(millis: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#asleep.delete(wake);
        resolve();
      };
      const most = LONGEST_WAIT_MILLISECONDS;
      const timer = millis === undefined ? undefined : setTimeout(wake, Math.min(millis, most)).unref();
      this.#asleep.add(wake);
    });
  }

  /** @returns what went wrong */
  async #post({ url, secret }: Webhook, letter: L): Promise<string | undefined> {
    const patience = AbortSignal.timeout(this.parts.patience ?? PATIENCE_MILLISECONDS);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: headersOf(letter, secret, this.#now()),
        body: letter.body,
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

  async #settle(letter: L, trouble: string | undefined): Promise<void> {
    if (trouble === undefined) return this.bag.remove(letter);
    const { id, url, attempts, created } = letter;
    const now = this.#now();
    const fields = { to: placeOf(url), id, attempts: attempts + 1, trouble };
    if (now - created > LONGEST_LIFE_MILLISECONDS) {
      await this.bag.remove(letter);
      this.parts.log('error', 'webhook given up', fields);
      return;
    }
    await this.bag.retry(
      letter,
      Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** attempts),
      now,
    );
    if (attempts === 0) this.parts.log('warn', 'webhook not delivered, to be tried again', fields);
  }
}

/** What may be logged of an address: the rest can be a secret. */
export function placeOf(url: string): string {
  return new URL(url).origin;
}
