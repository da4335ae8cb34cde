/** @file Parts of a fleet without processes. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULTS, type DaemonConfig } from '../../daemon/config.js';
import { newIdentity } from '../../daemon/identity.js';
import type { Log } from '../../daemon/log.js';
import type { Queue } from '../../daemon/queue.js';
import { Tail } from '../../daemon/tail.js';
import type { BlobStore } from '../../fleet/blobs.js';
import { sharedQueue } from '../../fleet/open-queue.js';
import type { FleetRun } from '../../fleet/run.js';
import { FakeRun } from '../daemon/helpers.js';

export function newRun(id: string, priority = 0): FleetRun {
  return {
    ...{ id, name: 'x', priority, sequence: 0, directory: '/nowhere', labels: '{}', settings: '{}' },
    ...{ state: 'queued', goal: null, attempts: 0, reason: null, checkpointed: -1, retry: 0 },
    ...{ created: 0, started: null, ended: null, node: null, worker: null, job: `job-${id}`, write: '' },
  };
}

/** In memory. */
export class FakeStore implements BlobStore {
  readonly shown = 'memory';
  readonly blobs = new Map<string, Uint8Array>();
  puts = 0;

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.puts += 1;
    this.blobs.set(name, Uint8Array.from(bytes));
  }
  async get(name: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(name);
  }
  async list(prefix: string): Promise<readonly string[]> {
    return [...this.blobs.keys()].filter((name) => name.startsWith(prefix));
  }
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) this.blobs.delete(name);
  }
}

/** A daemon's part of a queue, whose runs' processes only pretend. */
export class Node {
  private constructor(
    readonly queue: Queue,
    /** Every process that was ever started here. */
    readonly started: readonly FakeRun[],
    readonly said: readonly string[],
  ) {}

  static async start(
    url: string,
    root: string,
    config: Partial<DaemonConfig> = {},
    store = 'store',
  ): Promise<Node> {
    const started: FakeRun[] = [];
    const said: string[] = [];
    const log: Log = (_, message, fields) =>
      void said.push(`${message} ${JSON.stringify(fields?.['reason'] ?? '')}`);
    const queue = await sharedQueue({ queue: url, store: `file://${join(root, store)}` })({
      config: { ...DEFAULTS, lockSeconds: 5, retrySeconds: 0, graceSeconds: 1, ...config },
      runs: await mkdtemp(join(root, 'runs-')),
      log,
      tail: new Tail(log),
      identity: newIdentity('0.1.0'),
      launch: (run, listener) => {
        const fake = new FakeRun(run, listener);
        started.push(fake);
        return fake;
      },
    });
    await queue.start();
    return new Node(queue, started, said);
  }

  get alive(): FakeRun[] {
    return this.started.filter(({ over }) => !over);
  }

  /** Ends at once what has not ended. */
  async stop(): Promise<void> {
    this.queue.killAll();
    await this.queue.leave();
    await this.queue.close();
  }
}

/** Asks until there is something. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(30);
  }
}
