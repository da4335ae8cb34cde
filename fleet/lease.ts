/**
 * @file How long a run is this worker's: as long as its lock was renewed in time. Whoever cannot renew it, or finds that it slept
 * past its end, has lost it, whether somebody else has taken the run by then or not.
 */

export interface LeaseParts {
  readonly lockMilliseconds: number;
  /** Renews it in Redis. @returns false where it is not ours any more. Rejects where nothing is known. */
  readonly renew: () => Promise<boolean>;
  /** Called once. @param why for people */
  readonly lost: (why: string) => void;
  readonly now?: () => Moment;
}

/** In milliseconds, by two clocks: one goes on while the machine sleeps, the other one is never set. */
export interface Moment {
  readonly wall: number;
  readonly steady: number;
}

/** Renewals in the time that one lasts. */
const OFTEN = 4;

export class Lease {
  readonly #now: () => Moment;
  /** When the last renewal that succeeded was asked for. */
  #renewed: Moment;
  #timer: NodeJS.Timeout | undefined;
  #asked: Promise<void> | undefined;
  #over = false;

  constructor(private readonly parts: LeaseParts) {
    this.#now = parts.now ?? (() => ({ wall: Date.now(), steady: performance.now() }));
    this.#renewed = this.#now();
    this.#wait();
  }

  /** Ends the renewing; the run is given back, or given up. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#turn(), this.parts.lockMilliseconds / OFTEN);
  }

  #turn(): void {
    const [now, then] = [this.#now(), this.#renewed];
    const elapsed = Math.max(now.wall - then.wall, now.steady - then.steady);
    if (elapsed >= this.parts.lockMilliseconds) {
      this.#lose('its lock could not be renewed in time');
      return;
    }
    this.#asked ??= this.#renew().finally(() => (this.#asked = undefined));
    this.#wait();
  }

  async #renew(): Promise<void> {
    const asked = this.#now();
    try {
      const ours = await this.parts.renew();
      if (ours) this.#renewed = asked;
      else this.#lose('another worker may have it');
    } catch {
      // Whether it matters, the next turn knows.
    }
  }

  #lose(why: string): void {
    if (this.#over) return;
    this.end();
    this.parts.lost(why);
  }
}
