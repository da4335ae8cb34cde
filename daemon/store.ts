/** @file The queue on disk: runs, where each stands, and what happened to it. Knows no process and no server. */
import type { Recipe } from '../recipes/index.js';
import { isInPlace, openDatabase, transact, type State } from './database.js';
import { Outbox, type Letter } from './outbox.js';
import type { Settings } from './protocol.js';
import { refuseKey, unknownRun } from './run-errors.js';
import { asking, moved, untaken, type Happening, type StoredRun } from './stored-run.js';
import { WITH_PROCESS, type RunEvent, type RunState } from './transitions.js';

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

  /** False once its file was removed or replaced. */
  get isInPlace(): boolean {
    return isInPlace(this.#database);
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
  happen(id: string, event: RunEvent, happening: Happening): StoredRun {
    return transact(this.#database, () => {
      const before = this.find(id);
      const run = moved(before, event, happening);
      this.#database
        .prepare(
          'UPDATE runs SET state = ?, goal = ?, attempts = ?, reason = ?, retry = ?, started = ?, ended = ? WHERE id = ?',
        )
        .run(run.state, run.goal, run.attempts, run.reason, run.retry, run.started, run.ended, id);
      const { now } = happening;
      this.#log(now, id, event, run.state, run.reason);
      for (const each of this.announce({ before, run, event, now })) this.outbox.add(each);
      return run;
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
      return this.#settings(id, asking(this.find(id), settings));
    });
  }

  /** What was taken is asked for no longer, unless it was asked for otherwise meanwhile. */
  taken(id: string, settings: Settings): void {
    transact(this.#database, () => {
      this.#settings(id, untaken(this.find(id), settings));
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

  #settings(id: string, settings: string): StoredRun {
    this.#database.prepare('UPDATE runs SET settings = ? WHERE id = ?').run(settings, id);
    return this.find(id);
  }

  #log(now: number, run: string, event: string, state: string, reason: string | null): void {
    this.#database
      .prepare('INSERT INTO events (time, run, event, state, reason) VALUES (?, ?, ?, ?, ?)')
      .run(now, run, event, state, reason);
  }
}
