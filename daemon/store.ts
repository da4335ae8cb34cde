/** @file The queue on disk: runs, where each stands, and what happened to it. Knows no process and no server. */
import { complain } from '../foundation/index.js';
import type { Recipe } from '../recipes/index.js';
import { openDatabase, transact, type State } from './database.js';
import type { Settings } from './protocol.js';
import {
  FINAL,
  following,
  WITH_PROCESS,
  type RunEvent,
  type RunState,
  type Standing,
} from './transitions.js';

/** A run as the queue knows it. Times in milliseconds since the epoch. */
export interface StoredRun extends Standing {
  /** 1, 2, … by submission. */
  readonly sequence: number;
  readonly id: string;
  readonly name: string;
  readonly directory: string;
  /** The greater goes first. */
  readonly priority: number;
  /** Why it is where it is, for people. */
  readonly reason: string | null;
  /** Sequence number of its furthest checkpoint's metric; −1 for none. */
  readonly checkpointed: number;
  /** Not to be started before. */
  readonly retry: number;
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  /** Settings that were asked for and not yet taken, as JSON. */
  readonly settings: string;
  /** What its client tells it apart by, as JSON. */
  readonly labels: string;
}

/** Something that happened to a run. */
export interface StoredEvent {
  /** In milliseconds since the epoch. */
  readonly time: number;
  readonly event: string;
  /** The state that followed. */
  readonly state: RunState;
  readonly reason: string | null;
}

/** What is submitted. */
export interface NewRun {
  readonly id: string;
  readonly name: string;
  readonly recipe: Recipe;
  readonly directory: string;
  readonly priority: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** No two runs have the same. */
  readonly key?: string | undefined;
}

/** What comes with an event. */
export interface Happening {
  readonly now: number;
  /** See `following`. */
  readonly most: number;
  readonly reason?: string | null;
  readonly retry?: number;
}

const COLUMNS =
  'sequence, id, name, directory, priority, state, goal, reason, attempts, checkpointed, retry, created, started, ended, settings, labels';

/** The state of one daemon. Every method throws DAEMON_STATE_WRITE where the disk refuses; then nothing has changed. */
export class Store {
  readonly #database: State;

  /** @throws what `openDatabase` throws */
  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  /** Durable when it returns. @returns the run that was submitted with the same key before, where there is one. @throws DAEMON_RUN_KEY where that one is another */
  submit({ id, name, recipe, directory, priority, labels = {}, key }: NewRun, now: number): StoredRun {
    return transact(this.#database, () => {
      const text = JSON.stringify(recipe);
      const known = key === undefined ? undefined : this.#keyed(key, text);
      if (known) return known;
      this.#database
        .prepare(
          `INSERT INTO runs (id, name, recipe, directory, priority, state, created, labels, key) VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?)`,
        )
        .run(id, name, text, directory, priority, now, JSON.stringify(labels), key ?? null);
      this.#log(now, id, 'submit', 'queued', null);
      return this.find(id);
    });
  }

  /** By submission. */
  all(): StoredRun[] {
    return this.#runs('ORDER BY sequence');
  }

  /** @throws DAEMON_RUN_UNKNOWN */
  find(id: string): StoredRun {
    return this.#runs('WHERE id = ?', id)[0] ?? unknownRun(id);
  }

  /** As it was submitted. */
  recipe(id: string): unknown {
    const row = this.#database.prepare('SELECT recipe FROM runs WHERE id = ?').get(id);
    return JSON.parse((row as { recipe: string } | undefined)?.recipe ?? unknownRun(id));
  }

  /** What happened to a run, the newest `most`, oldest first. @throws DAEMON_RUN_UNKNOWN */
  events(id: string, most = 200): StoredEvent[] {
    this.find(id);
    const rows = this.#database
      .prepare('SELECT time, event, state, reason FROM events WHERE run = ? ORDER BY sequence DESC LIMIT ?')
      .all(id, most);
    return (rows as StoredEvent[]).reverse();
  }

  /** What waits for a process, in the order in which it gets one. */
  queued(): StoredRun[] {
    return this.#runs(`WHERE state = 'queued' ORDER BY priority DESC, sequence`);
  }

  /** What has a process, as far as the store knows. */
  withProcess(): StoredRun[] {
    return this.all().filter(({ state }) => WITH_PROCESS.includes(state));
  }

  /** Moves a run on. @throws DAEMON_RUN_UNKNOWN; DAEMON_RUN_STATE where this may not happen to it */
  happen(id: string, event: RunEvent, { now, most, reason = null, retry = 0 }: Happening): StoredRun {
    return transact(this.#database, () => {
      const run = this.find(id);
      const next = following(run, event, most) ?? refuse(run, event);
      const started = event === 'start' ? (run.started ?? now) : run.started;
      const over = !['queued', ...WITH_PROCESS].includes(next.state);
      this.#database
        .prepare(
          'UPDATE runs SET state = ?, goal = ?, attempts = ?, reason = ?, retry = ?, started = ?, ended = ? WHERE id = ?',
        )
        .run(next.state, next.goal, next.attempts, reason, retry, started, over ? now : null, id);
      this.#log(now, id, event, next.state, reason);
      return this.find(id);
    });
  }

  prioritize(id: string, priority: number): StoredRun {
    return transact(this.#database, () => {
      this.#database.prepare('UPDATE runs SET priority = ? WHERE id = ?').run(priority, id);
      return this.find(id);
    });
  }

  /** Asks for settings, with those that were asked for before. @throws DAEMON_RUN_UNKNOWN; DAEMON_RUN_STATE where it is over */
  ask(id: string, settings: Settings): StoredRun {
    return transact(this.#database, () => {
      const run = this.find(id);
      if (FINAL.includes(run.state)) refuse(run, 'a change of settings');
      const all = { ...(JSON.parse(run.settings) as Settings), ...settings };
      return this.#settings(id, all);
    });
  }

  /** What was taken is asked for no longer, unless it was asked for otherwise meanwhile. */
  taken(id: string, settings: Settings): void {
    transact(this.#database, () => {
      const asked = Object.entries(JSON.parse(this.find(id).settings) as Settings);
      const left = asked.filter(([name, value]) => settings[name as keyof Settings] !== value);
      this.#settings(id, Object.fromEntries(left));
    });
  }

  /** Notes a checkpoint; one that is further than any before gives the run all its attempts back. */
  checkpointed(id: string, sequence: number): void {
    transact(this.#database, () => {
      this.#database
        .prepare('UPDATE runs SET checkpointed = ?, attempts = 0 WHERE id = ? AND checkpointed < ?')
        .run(sequence, id, sequence);
    });
  }

  close(): void {
    this.#database.close();
  }

  #runs(rest: string, ...values: readonly string[]): StoredRun[] {
    return this.#database.prepare(`SELECT ${COLUMNS} FROM runs ${rest}`).all(...values) as StoredRun[];
  }

  #keyed(key: string, recipe: string): StoredRun | undefined {
    const [run] = this.#runs('WHERE key = ?', key);
    return run && JSON.stringify(this.recipe(run.id)) !== recipe ? refuseKey(key, run) : run;
  }

  #settings(id: string, settings: Settings): StoredRun {
    this.#database.prepare('UPDATE runs SET settings = ? WHERE id = ?').run(JSON.stringify(settings), id);
    return this.find(id);
  }

  #log(now: number, run: string, event: string, state: string, reason: string | null): void {
    this.#database
      .prepare('INSERT INTO events (time, run, event, state, reason) VALUES (?, ?, ?, ?, ?)')
      .run(now, run, event, state, reason);
  }
}

function unknownRun(id: string): never {
  return complain({
    code: 'DAEMON_RUN_UNKNOWN',
    owner: 'daemon',
    expected: 'the id of a run',
    got: id.slice(0, 80),
    hint: 'latstream runs lists them',
  });
}

function refuseKey(key: string, { id }: StoredRun): never {
  return complain({
    code: 'DAEMON_RUN_KEY',
    owner: 'daemon',
    expected: 'a key that stands for one recipe',
    got: `${key}, with another recipe than that of run ${id}`,
    hint: 'choose another key',
  });
}

function refuse({ id, state, goal }: StoredRun, event: string): never {
  return complain({
    code: 'DAEMON_RUN_STATE',
    owner: `run ${id}`,
    expected: `a state in which ${event} means something`,
    got: goal === null ? state : `${state}, to be ${goal}`,
    hint: 'see docs/protocol.md for what may follow what',
  });
}
