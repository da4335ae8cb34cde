/** @file A token bucket: so many at once, and behind them so many a second. No imports; whoever uses it brings the clock. */

export class Bucket {
  #left: number;

  /** @param perSecond above 0. @param burst at least 1. @param at milliseconds on any clock that only goes forward */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private at: number,
  ) {
    this.#left = burst;
  }

  /** Whether one was left; then it is taken. @param now not before any `now` that came */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Takes one that may not be there yet. @returns milliseconds until it is */
  owe(now: number): number {
    this.#fill(now);
    this.#left -= 1;
    return Math.max(0, (-1000 * this.#left) / this.perSecond);
  }

  /** Puts one back that was owed. */
  forgive(): void {
    this.#left += 1;
  }

  #fill(now: number): void {
    this.#left = Math.min(this.burst, this.#left + (this.perSecond * (now - this.at)) / 1000);
    this.at = now;
  }
}
