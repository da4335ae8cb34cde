/** @file Everything that a daemon of a shared queue is made of, put together. */
import { Courier, type QueueOpener } from '../daemon/index.js';
import { redisAddress } from './address.js';
import { beside } from './beside.js';
import { CachedRecords } from './cached-records.js';
import { Jobs } from './jobs.js';
import { Ledger } from './ledger.js';
import { RunLines } from './lines.js';
import { Mail } from './mail.js';
import { openStore, sameStore } from './open-store.js';
import { openConnection } from './redis.js';
import { SharedQueue } from './shared-queue.js';
import { messageOf } from './trouble.js';
import { FleetWorker } from './worker.js';
import { Workers } from './workers.js';

export interface SharedQueueOptions {
  /** See `redisAddress`. */
  readonly queue: string;
  /** See `openStore`. */
  readonly store: string;
  readonly password?: string | undefined;
}

/** @throws FLEET_QUEUE_ADDRESS, FLEET_STORE_ADDRESS, FLEET_REDIS, FLEET_STORE, FLEET_STORE_DIFFERS */
export function sharedQueue(options: SharedQueueOptions): QueueOpener {
  return async ({ config, identity, runs, launch, log }) => {
    const address = redisAddress(options.queue, options.password);
    const { shown } = address;
    const store = await openStore(options.store);
    const redis = await openConnection(address);
    try {
      await sameStore(store, redis);
      const { id: node, host } = identity;
      const ledger = new Ledger(redis, shown);
      const lines = new RunLines(redis, host, log);
      const trouble = quietly((text) => log('warn', 'trouble with the queue', { reason: text }));
      const failed = (error: unknown): void => trouble(messageOf(error));
      const jobs = new Jobs(address, 1000 * config.lockSeconds, (error) => trouble(error.message));
      const current = { now: config };
      const silence = 2 * jobs.lockMilliseconds;
      const workers = new Workers(redis, identity, silence, () => current.now.parallel);
      const shared = { node, host, redis, ledger, jobs, workers };
      const worker = new FleetWorker({
        ...{ ...shared, store, launch, runs, log: lines.log, config: () => current.now },
      });
      const courier = new Courier(new Mail({ redis, shown, log }), { log, failed });
      const records = new CachedRecords(store, (id) => ledger.manifest(id));
      const nudged = (id: string): void => worker.nudge(id);
      log('info', 'queue shared', { queue: shown, store: store.shown, node });
      return new SharedQueue({
        ...{ ...shared, shown, records, lines, worker, courier, store, config: current },
        begin: () => beside({ ...shared, nudged, failed, tidy: (all) => worker.tidy(all) }),
      });
    } catch (error) {
      redis.disconnect();
      throw error;
    }
  };
}

/** How long nothing is said of a trouble that lasts. */
const QUIET_MILLISECONDS = 60_000;

/** Says the same thing once in a while. */
function quietly(say: (text: string) => void): (text: string) => void {
  let [last, when] = ['', 0];
  return (text) => {
    if (text === last && Date.now() - when < QUIET_MILLISECONDS) return;
    [last, when] = [text, Date.now()];
    say(text);
  };
}
