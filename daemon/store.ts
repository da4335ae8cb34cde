/** @file The queue on disk: runs, where each stands, and what happened to it. Knows no process and no server. */
import type { Recipe } from '../recipes/index.js';
import { openDatabase, transact, type State } from './database.js';
import { Outbox, type Letter } from './outbox.js';
import type { Settings } from './protocol.js';
import { refuseEvent, refuseKey, unknownRun } from './run-errors.js';
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

/** What has happened, for those who tell of it. */
export interface Happened {
  readonly before: StoredRun;
  readonly run: StoredRun;
  readonly event: RunEvent;
  readonly now: number;
}

const COLUMNS =
  'sequence, id, name, directory, priority, state, goal, reason, attempts, checkpointed, retry, created, started, ended, settings, labels';

/** The state of one daemon. Every method throws DAEMON_STATE_WRITE where the disk refuses; then nothing has changed. */
export class Store {
  readonly #database: State;
  readonly outbox: Outbox;
  /** What is to be posted because something happened: on disk together with it. */
  announce: (happened: Happened) => readonly Letter[] = () => [];

  /** @throws what `openDatabase` throws */
  constructor(path: string) {
    this.#database = openDatabase(path);
    this.outbox = new Outbox(this.#database);
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
      const next = following(run, event, most) ?? refuseEvent(run, event);
      const started = event === 'start' ? (run.started ?? now) : run.started;
      const over = !['queued', ...WITH_PROCESS].includes(next.state);
      this.#database
        .prepare(
          'UPDATE runs SET state = ?, goal = ?, attempts = ?, reason = ?, retry = ?, started = ?, ended = ? WHERE id = ?',
        )
        .run(next.state, next.goal, next.attempts, reason, retry, started, over ? now : null, id);
      this.#log(now, id, event, next.state, reason);
      const moved = this.find(id);
      for (const each of this.announce({ before: run, run: moved, event, now })) this.outbox.add(each);
      return moved;
    });
  }

  /** Posts a letter unless its like was posted before. @returns whether it was not */
  post(letter: Letter, like: string): boolean {
    return transact(this.#database, () => {
      const isNew = this.outbox.once(like);
      if (isNew) this.outbox.add(letter);
      return isNew;
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
      if (FINAL.includes(run.state)) refuseEvent(run, 'a change of settings');
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
    return run && JSON.stringify(this.recipe(run.id)) !== recipe ? refuseKey(key, run.id) : run;
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
