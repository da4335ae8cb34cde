/** @file The truth about runs, in Redis: every change is one script that looks at version and lease before it writes. */
import { randomUUID } from 'node:crypto';
import { refuseKey, unknownRun, type Live, type Submitted } from '../daemon/index.js';
import { complain } from '../foundation/index.js';
import { happened, loggedEvent, newsOf, type Happened, type LoggedEvent, type News } from './happened.js';
import { KEYS } from './keys.js';
import { redisError, replies, type Connection } from './redis.js';
import type { FleetRun, Kept, Manifest, Taken } from './run.js';

/** What a write means beside the change of the run. */
type Meaning = 'take' | 'finish' | '';

/** A run as a change leaves it, and what happened to it, the last with what is left. */
export interface Change {
  readonly run: FleetRun;
  readonly events?: readonly Happened[];
  readonly meaning?: Meaning;
}

/** Whoever asks: people (no epoch), or the worker that has taken the run. */
export interface Asker {
  readonly node: string;
  readonly epoch?: number;
  /** The name of the write, for whoever may have to ask for it again. */
  readonly write?: string;
}

interface Moved {
  readonly run: FleetRun;
  readonly version: number;
  readonly epoch: number;
  readonly manifest: Manifest | undefined;
}

/** Others change a run at the same time, but not as often as that. */
const MOST_TRIES = 50;

/** Every method throws FLEET_REDIS where Redis does not answer. */
export class Ledger {
  constructor(
    private readonly redis: Connection,
    private readonly shown: string,
  ) {}

  /** @returns the run that has the key, where one has. @throws DAEMON_RUN_KEY where that one is another */
  async submit(run: FleetRun, { recipe, key = '' }: Submitted): Promise<Kept> {
    const text = JSON.stringify(recipe);
    const event = JSON.stringify(loggedEvent(happened(run, 'submit')));
    const keys = [KEYS.runs, KEYS.run(run.id), KEYS.keys, KEYS.sequence, KEYS.events(run.id)];
    const id = await this.#ask(() =>
      this.redis.submitRun(keys.length, ...keys, run.id, JSON.stringify(run), text, key, event),
    );
    const kept = await this.find(String(id));
    if (kept.run.id !== run.id && JSON.stringify(await this.recipe(kept.run.id)) !== text)
      refuseKey(key, kept.run.id);
    return kept;
  }

  /** By submission. */
  async all(): Promise<Kept[]> {
    return this.#ask(async () => {
      const ids = await this.redis.lrange(KEYS.runs, 0, -1);
      const asked = this.redis.pipeline();
      for (const id of ids) asked.hmget(KEYS.run(id), ...FIELDS);
      return (await replies(asked)).flatMap((reply) => keptIn(reply as Fields) ?? []);
    });
  }

  /** @throws DAEMON_RUN_UNKNOWN */
  async find(id: string): Promise<Kept> {
    const fields = await this.#ask(() => this.redis.hmget(KEYS.run(id), ...FIELDS));
    return keptIn(fields) ?? unknownRun(id);
  }

  /** @throws DAEMON_RUN_UNKNOWN */
  async recipe(id: string): Promise<unknown> {
    return JSON.parse((await this.#ask(() => this.redis.hget(KEYS.run(id), 'recipe'))) ?? unknownRun(id));
  }

  async manifest(id: string): Promise<Manifest | undefined> {
    return manifestIn(await this.#ask(() => this.redis.hget(KEYS.run(id), 'manifest')));
  }

  /** Oldest first. */
  async events(id: string): Promise<readonly LoggedEvent[]> {
    const found = await this.#ask(() => this.redis.lrange(KEYS.events(id), 0, -1));
    return found.map((text) => JSON.parse(text) as LoggedEvent);
  }

  /**
   * Changes a run, whatever others change meanwhile.
   * @param change of what it is now; undefined: nothing. Asked again where somebody was faster
   * @throws DAEMON_RUN_UNKNOWN, FLEET_LEASE_LOST where the asker's epoch is not the newest, and what `change` throws
   */
  async update(id: string, asker: Asker, change: (kept: Kept) => Change | undefined): Promise<Moved> {
    const write = asker.write ?? randomUUID();
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const kept = await this.find(id);
      // The answer to our own write was lost on its way.
      if (kept.run.write === write) return { ...kept, manifest: await this.manifest(id) };
      const next = change(kept);
      if (next === undefined) return { ...kept, manifest: undefined };
      const said = await this.#move(kept, asker, { ...next, run: { ...next.run, write } });
      if (said !== 'version') return said;
    }
    return redisError(this.shown, new Error(`run ${id} is changed all the time`));
  }

  /** The run, taken: its epoch is one more, and whoever had it before writes nothing any more. */
  async take(
    id: string,
    node: string,
    change: (kept: Kept) => Change | undefined,
  ): Promise<Taken | undefined> {
    let taken = false as boolean;
    const { run, version, epoch, manifest } = await this.update(id, { node }, (kept) => {
      const next = change(kept);
      taken = next?.meaning === 'take';
      return next;
    });
    return taken ? { run, version, epoch, manifest, recipe: await this.recipe(id) } : undefined;
  }

  /** Makes this the run's directory for whoever goes on with it. @throws FLEET_LEASE_LOST */
  async commit({ run: { id }, epoch }: Taken, node: string, manifest: Manifest): Promise<void> {
    const keys = [KEYS.run(id), KEYS.refused];
    const said = await this.#ask(() =>
      this.redis.commitRun(keys.length, ...keys, id, node, epoch, JSON.stringify(manifest)),
    );
    if (said === 'late') leaseLost(id, epoch);
  }

  /**
   * What the run does now, and what it has measured.
   * @param stream another one than before begins the metrics anew
   * @returns the run's version. @throws FLEET_LEASE_LOST
   */
  async report(
    { run: { id }, epoch }: Taken,
    node: string,
    live: Live,
    stream: string,
    metrics: readonly string[],
  ): Promise<number> {
    const keys = [KEYS.run(id), KEYS.metrics(id), KEYS.refused];
    const said = await this.#ask(() =>
      this.redis.reportRun(keys.length, ...keys, id, node, epoch, JSON.stringify(live), stream, ...metrics),
    );
    return said === 'late' ? leaseLost(id, epoch) : Number(said);
  }

  /** Tells webhooks of the run, unless it was told before. @param what is told once. @throws FLEET_LEASE_LOST */
  async tell({ run: { id }, epoch }: Taken, node: string, what: string, news: News): Promise<void> {
    const keys = [KEYS.run(id), KEYS.told(id), KEYS.news, KEYS.refused];
    const said = await this.#ask(() =>
      this.redis.noteRun(keys.length, ...keys, id, node, epoch, what, JSON.stringify(news)),
    );
    if (said === 'late') leaseLost(id, epoch);
  }

  async #move(
    { run: before, version }: Kept,
    { node, epoch }: Asker,
    change: Change,
  ): Promise<Moved | 'version'> {
    const { run, events = [], meaning = '' } = change;
    const keys = [KEYS.run(run.id), KEYS.events(run.id), KEYS.completions, KEYS.refused, KEYS.news];
    const told = [...events.map(loggedEvent), ...newsOf(before, events)].map((each) => JSON.stringify(each));
    const said = (await this.#ask(() =>
      this.redis.moveRun(
        ...[keys.length, ...keys, run.id, node, version],
        ...[epoch ?? '', JSON.stringify(run), meaning, events.length, ...told],
      ),
    )) as readonly [string, number, number, string];
    if (said[0] === 'version') return 'version';
    if (said[0] === 'unknown') return unknownRun(run.id);
    if (said[0] === 'late') return leaseLost(run.id, epoch ?? 0);
    return { run, version: said[1], epoch: said[2], manifest: manifestIn(said[3]) };
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      return redisError(this.shown, error);
    }
  }
}

const FIELDS = ['run', 'sequence', 'version', 'epoch', 'live'] as const;
type Fields = readonly (string | null)[];

function keptIn([run, sequence, version, epoch, live]: Fields): Kept | undefined {
  if (!run) return undefined;
  return {
    run: { ...(JSON.parse(run) as FleetRun), sequence: Number(sequence) },
    version: Number(version),
    epoch: Number(epoch),
    live: live ? (JSON.parse(live) as Live) : null,
  };
}

function manifestIn(text: string | null): Manifest | undefined {
  return text ? (JSON.parse(text) as Manifest) : undefined;
}

function leaseLost(id: string, epoch: number): never {
  return complain({
    code: 'FLEET_LEASE_LOST',
    owner: `run ${id}`,
    expected: `that nobody else has taken it since this worker did (epoch ${epoch})`,
    got: 'a newer epoch',
    hint: 'nothing was written: another worker goes on with it from its last checkpoint',
  });
}
