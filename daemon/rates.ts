/** @file How often an address may ask, and how soon it hears that its token is wrong. In memory, of bounded size. */
import { isIPv6 } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Bucket, complain } from '../foundation/index.js';

/** Seconds' worth of requests that may come at once. */
const BURST_SECONDS = 5;
/** Wrong tokens that are told so at once; those behind them hear it one a second. */
const WRONG_AT_ONCE = 10;
/** Whoever would wait longer is not let wait: answers that wait hold connections. */
const LONGEST_WAIT_MILLISECONDS = 10_000;
/** Addresses that are remembered. */
const MOST_ADDRESSES = 10_000;

interface Visitor {
  readonly requests: Bucket;
  readonly wrong: Bucket;
}

export class Rates {
  #visitors = new Map<string, Visitor>();

  /** @param perSecond requests. @param now milliseconds on a clock that only goes forward. @param wait for so long */
  constructor(
    private perSecond: number,
    private readonly now: () => number = () => performance.now(),
    private readonly wait: (millis: number) => Promise<unknown> = (millis) =>
      pause(millis, undefined, { ref: false }),
  ) {}

  /** Everybody begins anew. @param perSecond requests */
  limit(perSecond: number): void {
    if (perSecond === this.perSecond) return;
    this.perSecond = perSecond;
    this.#visitors = new Map();
  }

  /** Counts a request. @throws DAEMON_RATE */
  request(address: string): void {
    if (!this.#visitor(address).requests.take(this.now()))
      tooMany(`at most ${this.perSecond} requests a second from an address`);
  }

  /**
   * Counts a wrong token; resolves when its sender may hear so.
   * @throws DAEMON_RATE where too many wait already
   */
  async wrong(address: string): Promise<void> {
    const { wrong } = this.#visitor(address);
    const millis = wrong.owe(this.now());
    if (millis <= LONGEST_WAIT_MILLISECONDS) await this.wait(millis);
    else {
      wrong.forgive();
      tooMany('an address that tries a token now and then');
    }
  }

  #visitor(address: string): Visitor {
    const name = networkOf(address);
    const now = this.now();
    const known = this.#visitors.get(name) ?? {
      requests: new Bucket(this.perSecond, BURST_SECONDS * this.perSecond, now),
      wrong: new Bucket(1, WRONG_AT_ONCE, now),
    };
    this.#visitors.delete(name); // so that those that were not seen for longest are forgotten first
    this.#visitors.set(name, known);
    const [oldest] = this.#visitors.keys();
    if (this.#visitors.size > MOST_ADDRESSES && oldest !== undefined) this.#visitors.delete(oldest);
    return known;
  }
}

/** Whoever has an IPv6 address has 2⁶⁴ of them: they count as one. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = [], tail] = plain.split('::', 2).map((half) => half.split(':').filter(Boolean));
  const zeros = tail ? 8 - head.length - tail.length : 0;
  return [...head, ...Array<string>(zeros).fill('0'), ...(tail ?? [])].slice(0, 4).join(':');
}

function tooMany(expected: string): never {
  return complain({
    code: 'DAEMON_RATE',
    owner: 'daemon',
    expected,
    got: 'more',
    hint: 'ask again in a second; requestsPerSecond in config.yaml is the limit',
  });
}
