/** @file The daemons of a shared queue that are heard of: each says now and then that it is there, and what it is. */
import { z } from 'zod';
import type { Identity, WorkerView } from '../daemon/index.js';
import { KEYS } from './keys.js';
import type { Connection } from './redis.js';

const heard = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.number(),
  version: z.string(),
  since: z.iso.datetime(),
  parallel: z.number(),
  /** Milliseconds for which its word holds; none from a version that does not say. */
  holds: z.number().exactOptional(),
});

/** A daemon, but for its runs, which the ledger knows. */
export type Heard = Omit<WorkerView, 'runs' | 'here'>;

export class Workers {
  /** @param silence milliseconds without a word after which a daemon is not heard of any more. @param parallel runs at a time of this one */
  constructor(
    private readonly redis: Connection,
    private readonly identity: Identity,
    private readonly silence: number,
    private readonly parallel: () => number,
  ) {}

  /** This one is there. */
  async say(): Promise<void> {
    const { id } = this.identity;
    const holds = Math.ceil(this.silence);
    const text = JSON.stringify({ ...this.identity, parallel: this.parallel(), holds });
    await this.redis.multi().sadd(KEYS.workers, id).set(KEYS.worker(id), text, 'PX', holds).exec();
  }

  /** This one leaves. */
  async leave(): Promise<void> {
    const { id } = this.identity;
    await this.redis.multi().srem(KEYS.workers, id).del(KEYS.worker(id)).exec();
  }

  /** By when they started. */
  async all(): Promise<Heard[]> {
    const ids = await this.redis.smembers(KEYS.workers);
    if (ids.length === 0) return [];
    const texts = await this.redis.mget(ids.map(KEYS.worker));
    const silent = ids.filter((_, at) => texts[at] === null);
    if (silent.length > 0) await this.redis.srem(KEYS.workers, silent);
    const found = texts.flatMap((text) => (text ? (heard.safeParse(JSON.parse(text)).data ?? []) : []));
    const views = await Promise.all(
      found.map(async ({ holds, ...each }) => ({ ...each, heard: await this.#heard(each.id, holds) })),
    );
    return views.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : a.id < b.id ? -1 : 1));
  }

  /** When a daemon's word came, by this machine's clock: from what is left of it, since clocks of machines differ. */
  async #heard(id: string, holds: number | undefined): Promise<string | null> {
    const left = await this.redis.pttl(KEYS.worker(id));
    return holds === undefined || left < 0 ? null : new Date(Date.now() - (holds - left)).toISOString();
  }
}
