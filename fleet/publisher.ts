/** @file Publishes one run's directory again and again while it trains, one time after the other. */
import { existsSync } from 'node:fs';
import type { BlobStore } from './blobs.js';
import type { Ledger } from './ledger.js';
import { published, removeUnnamed } from './publish.js';
import type { Manifest, Taken } from './run.js';

export interface PublisherParts {
  readonly store: BlobStore;
  readonly ledger: Ledger;
  readonly node: string;
  readonly taken: Taken;
  readonly directory: string;
  /** What went wrong and may be left so. */
  readonly warn: (text: string) => void;
}

export class Publisher {
  #known: Manifest | undefined;
  #times = 0;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(private readonly parts: PublisherParts) {
    this.#known = parts.taken.manifest;
  }

  /** What was committed last. */
  get known(): Manifest | undefined {
    return this.#known;
  }

  /** When it resolves, what was in the directory when it was called is committed. @throws FLEET_LEASE_LOST, FLEET_STORE, FLEET_REDIS */
  publish(): Promise<void> {
    this.#next ??= this.#last
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined; // who comes from now on wants what is there now
        return this.#work();
      });
    this.#last = this.#next;
    return this.#next;
  }

  async #work(): Promise<void> {
    const { store, ledger, node, taken, directory, warn } = this.parts;
    if (!existsSync(directory)) return; // it was never begun
    const { id } = taken.run;
    const before = this.#known;
    const now = await published(store, { id, batch: `${taken.epoch}.${this.#times++}` }, directory, before);
    await ledger.commit(taken, node, now);
    this.#known = now;
    await removeUnnamed(store, id, before, now).catch((error: unknown) => warn(String(error)));
  }
}
