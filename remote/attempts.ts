/** @file When to try again, and when to give up. Knows no protocol. */
import { complain } from '../foundation/index.js';
import type { Remote } from './settings.js';

/** A failure that may pass: a broken connection, a busy server. */
export class Passing extends Error {
  override readonly name = 'Passing';

  /** @param after milliseconds that the server asks to wait. */
  constructor(
    message: string,
    readonly after = 0,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Counts failures in a row and waits between them, twice as long each time. */
export class Attempts {
  private failures = 0;

  constructor(
    private readonly owner: string,
    private readonly remote: Remote,
    private readonly signal?: AbortSignal,
  ) {}

  /** Something came through: the count begins anew. */
  progress(): void {
    this.failures = 0;
  }

  /**
   * Waits before the next try.
   * @throws what is not passing; REMOTE_UNREACHABLE after the last try, or where the server asks for a longer wait than allowed.
   */
  async failed(error: unknown): Promise<void> {
    if (!(error instanceof Passing)) throw error;
    const { tries, backoff, sleep } = this.remote;
    this.failures++;
    if (this.failures >= tries || error.after > backoff.most) this.giveUp(error);
    await sleep(
      Math.max(error.after, Math.min(backoff.most, backoff.first * 2 ** (this.failures - 1))),
      this.signal,
    );
  }

  private giveUp(error: Passing): never {
    const wait = Number.isFinite(error.after) && error.after > this.remote.backoff.most;
    return complain(
      {
        code: 'REMOTE_UNREACHABLE',
        owner: this.owner,
        expected: 'an answer',
        got: `${error.message}, ${this.failures} ${this.failures === 1 ? 'time' : 'times'} in a row`,
        hint: wait
          ? `the server asks to wait ${Math.ceil(error.after / 1000)} s: try again then`
          : 'check the connection (and HF_ENDPOINT) and try again: what has arrived is kept; HF_HUB_OFFLINE=1 uses what is in the cache',
      },
      { cause: error },
    );
  }
}

/** Does something until it comes through. */
export async function insisting<T>(attempts: Attempts, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      await attempts.failed(error);
    }
  }
}
