/**
 * @file What webhooks of a shared queue are to be told: its stream of news, read by a consumer group for each address, which all
 * daemons with that address in their configuration share. What one of them has taken and not settled, another one gets after a while.
 */
import { createHash } from 'node:crypto';
import {
  letter,
  LONGEST_LIFE_MILLISECONDS,
  LONGEST_WAIT_MILLISECONDS,
  PATIENCE_MILLISECONDS,
  wants,
  type Log,
  type Mailbag,
  type WaitingLetter,
  type Webhook,
} from '../daemon/index.js';
import type { News } from './happened.js';
import { KEYS } from './keys.js';
import { redisError, type Connection } from './redis.js';

export interface FleetLetter extends WaitingLetter {
  /** Its place in the stream. */
  readonly entry: string;
}

export interface MailParts {
  readonly redis: Connection;
  /** Of the queue, for people. */
  readonly shown: string;
  readonly log: Log;
  /** Milliseconds for which nobody else gets what is taken: longer than a receiver may take. */
  readonly lease?: number;
}

const LEASE_MILLISECONDS = 1.5 * PATIENCE_MILLISECONDS;
/** Nobody says when there are news. */
const REST_MILLISECONDS = 1000;
/** How often it is noted that an address has daemons. */
const SEEN_MILLISECONDS = 60_000;

/** The name of an address's consumer group: what may be a secret in it is not told. */
export function groupOf(url: string): string {
  return digestOf(url).slice(0, 16);
}

export class Mail implements Mailbag<FleetLetter> {
  constructor(private readonly parts: MailParts) {}

  /** @throws FLEET_REDIS */
  async take(hook: Webhook): Promise<FleetLetter | undefined> {
    const { redis, lease = LEASE_MILLISECONDS } = this.parts;
    const times = [LONGEST_WAIT_MILLISECONDS, lease, SEEN_MILLISECONDS, LONGEST_LIFE_MILLISECONDS];
    for (;;) {
      const found = (await this.#ask(() =>
        redis.takeNews(2, KEYS.news, KEYS.hooks, groupOf(hook.url), ...times),
      )) as readonly [entry: string, text: string, attempts: number] | null;
      if (!found) return undefined;
      const [entry, text, attempts] = found;
      const written = this.#written(hook, text);
      if (written) return { ...written, entry, attempts };
      await this.#acknowledge(hook.url, entry);
    }
  }

  async remove({ url, entry }: FleetLetter): Promise<void> {
    await this.#acknowledge(url, entry);
  }

  async retry({ url, entry, attempts }: FleetLetter, wait: number): Promise<void> {
    const rest = [entry, attempts + 1, LONGEST_WAIT_MILLISECONDS - wait];
    await this.#ask(() => this.parts.redis.returnNews(1, KEYS.news, groupOf(url), ...rest));
  }

  rest(): number {
    return REST_MILLISECONDS;
  }

  /** The same each time, whoever makes it; undefined where the address is not to be told. */
  #written(hook: Webhook, text: string): ReturnType<typeof letter> | undefined {
    try {
      const { id, to, threshold, ...telling } = JSON.parse(text) as News;
      const concerns = to === undefined ? wants(hook, telling.event) : to === groupOf(hook.url);
      const name = `msg_${digestOf(`${id} ${hook.url}`).slice(0, 32)}`;
      return concerns ? letter({ ...hook, ...(threshold && { threshold }) }, telling, name) : undefined;
    } catch (error) {
      this.parts.log('error', 'news of another form dropped', { reason: String(error) });
      return undefined;
    }
  }

  #acknowledge(url: string, entry: string): Promise<unknown> {
    return this.#ask(() => this.parts.redis.xack(KEYS.news, groupOf(url), entry));
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      return redisError(this.parts.shown, error);
    }
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
