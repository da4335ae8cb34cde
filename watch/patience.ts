/** @file Trying again, at growing intervals, what could be reached a moment ago. */
import { setTimeout as pause } from 'node:timers/promises';

const FIRST_WAIT_MILLISECONDS = 250;
const LONGEST_WAIT_MILLISECONDS = 5000;

/** How long something is out of reach, and how long that is borne. */
export class Patience {
  #waited = 0;
  #wait = FIRST_WAIT_MILLISECONDS;

  /** @param most seconds; 0: not at all */
  constructor(private readonly most: number) {}

  get exhausted(): boolean {
    return this.#waited >= 1000 * this.most;
  }

  /** Waits a while; a signal ends it. */
  async wait(signal: AbortSignal): Promise<void> {
    await rest(this.#wait, signal);
    this.#waited += this.#wait;
    this.#wait = Math.min(LONGEST_WAIT_MILLISECONDS, 2 * this.#wait);
  }

  /** It was reached. */
  refill(): void {
    this.#waited = 0;
    this.#wait = FIRST_WAIT_MILLISECONDS;
  }
}

/** Resolves after so many milliseconds, or with the signal. */
export async function rest(millis: number, signal: AbortSignal): Promise<void> {
  await pause(millis, undefined, { signal }).catch(() => undefined);
}
