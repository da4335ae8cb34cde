/**
 * @file Keeps as many runs going as may: takes them from the store, starts their processes, and writes down how these
 * end. A run's place is written before its process starts and after it is gone, so that whoever finds the store anew knows.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Recipe } from '../recipes/index.js';
import type { Metric } from '../streams/index.js';
import { LONGEST_WAIT_SECONDS, type DaemonConfig } from './config.js';
import type { Launched, Launcher, LaunchEnd } from './launch.js';
import type { Log } from './log.js';
import { Pace, type Live } from './pace.js';
import type { Change, Settings } from './protocol.js';
import type { NewRun, Store } from './store.js';
import { refuseLeaving } from './run-errors.js';
import type { StoredRun } from './stored-run.js';
import type { RunCommand, RunEvent } from './transitions.js';

export interface SupervisorParts {
  readonly store: Store;
  readonly launch: Launcher;
  readonly log: Log;
  readonly config: DaemonConfig;
  /** Where runs get their directories. */
  readonly runs: string;
  readonly now?: () => number;
  /** Told of every metric of a run. */
  readonly hear?: (run: string, metric: Metric) => void;
}

interface Running {
  readonly launched: Launched;
  readonly pace: Pace;
}

/** After what the disk refused. */
const AGAIN_MILLISECONDS = 1000;

export class Supervisor {
  readonly #running = new Map<string, Running>();
  readonly #now: () => number;
  #config: DaemonConfig;
  #timer: NodeJS.Timeout | undefined;
  #leaving = false;
  /** Deaths of processes since this daemon started. */
  deaths = 0;

  constructor(private readonly parts: SupervisorParts) {
    this.#config = parts.config;
    this.#now = parts.now ?? Date.now;
  }

  get ready(): boolean {
    return !this.#leaving && this.parts.store.isInPlace;
  }

  /** Runs at a time. */
  get parallel(): number {
    return this.#config.parallel;
  }

  /** Goes on with what had a process when the last daemon ended, and with the queue. */
  start(): void {
    for (const { id, name } of this.parts.store.withProcess()) {
      const { state } = this.#happen(id, 'recover', 'the daemon had ended');
      this.parts.log('info', 'run found without its process', { run: id, name, state });
    }
    this.#fill();
  }

  configure(config: DaemonConfig): void {
    this.#config = config;
    this.#fill();
  }

  /** Submitted with the same key before, it is the run of then. @throws DAEMON_LEAVING, DAEMON_RUN_KEY, DAEMON_STATE_WRITE */
  submit(
    name: string,
    recipe: Recipe,
    priority: number,
    known: Pick<NewRun, 'labels' | 'key'> = {},
  ): StoredRun {
    this.#refuseLeaving();
    const id = randomBytes(4).toString('hex');
    const directory = join(this.parts.runs, `${name}-${id}`);
    const run = this.parts.store.submit({ id, name, recipe, directory, priority, ...known }, this.#now());
    if (run.id !== id) return run;
    this.parts.log('info', 'run submitted', { run: id, name, priority });
    this.#fill();
    return this.parts.store.find(run.id);
  }

  /** @throws DAEMON_LEAVING, DAEMON_RUN_UNKNOWN, DAEMON_RUN_STATE, DAEMON_STATE_WRITE */
  command(id: string, command: RunCommand): StoredRun {
    this.#refuseLeaving();
    const { state, goal, name } = this.#happen(id, command);
    this.parts.log('info', `${command} asked for`, { run: id, name, state });
    const running = this.#running.get(id)?.launched;
    if (goal === 'cancelled') running?.kill();
    else running?.stop();
    this.#fill();
    return this.parts.store.find(id);
  }

  /** Settings hold from the next step of the arm that is, or will be, trained. @throws DAEMON_RUN_UNKNOWN, DAEMON_RUN_STATE, DAEMON_STATE_WRITE */
  change(id: string, { priority, settings }: Change): StoredRun {
    const { store } = this.parts;
    if (settings !== undefined) {
      store.ask(id, settings);
      this.#running.get(id)?.launched.change(settings);
    }
    if (priority !== undefined) store.prioritize(id, priority);
    return store.find(id);
  }

  all(): StoredRun[] {
    return this.parts.store.all();
  }

  /** Null without a process. */
  live(id: string): Live | null {
    const running = this.#running.get(id);
    if (!running) return null;
    const { page = null, pid = null } = running.launched;
    return { page, pid, progress: running.pace.progress };
  }

  /** Every run saves and is queued again; what takes longer than the grace is killed, and goes on from its last checkpoint. */
  async close(): Promise<void> {
    this.#leaving = true;
    clearTimeout(this.#timer);
    for (const [id, { launched }] of this.#running) {
      this.#try(id, () => this.#happen(id, 'leave'));
      launched.stop();
    }
    const late = setTimeout(() => this.killAll(), 1000 * this.#config.graceSeconds);
    while (this.#running.size > 0) {
      await Promise.all([...this.#running.values()].map(({ launched }) => launched.ended));
      await new Promise((resolve) => setTimeout(resolve, 10)); // what an end brings about comes first
    }
    clearTimeout(late);
  }

  killAll(): void {
    for (const [id, { launched }] of this.#running) {
      this.parts.log('warn', 'run killed: it did not save in time', { run: id });
      launched.kill();
    }
  }

  #fill(): void {
    clearTimeout(this.#timer);
    if (this.#leaving) return;
    let wait: number | undefined;
    if (!this.#try(null, () => (wait = this.#start()))) wait = AGAIN_MILLISECONDS;
    if (wait !== undefined) this.#timer = setTimeout(() => this.#fill(), wait).unref();
  }

  /** Starts what may be. @returns milliseconds until more may be, if that is known */
  #start(): number | undefined {
    const now = this.#now();
    // A wait longer than any that is written means that the clock was set back meanwhile.
    const isDue = ({ retry }: StoredRun): boolean =>
      retry <= now || retry > now + 1000 * LONGEST_WAIT_SECONDS;
    const queued = this.parts.store.queued();
    for (const run of queued.filter(isDue)) {
      if (this.#running.size >= this.#config.parallel) return undefined;
      this.#launch(run);
    }
    const waits = queued.filter((run) => !isDue(run)).map(({ retry }) => retry - now);
    return waits.length > 0 ? Math.min(...waits) : undefined;
  }

  #launch({ id, name, directory, settings }: StoredRun): void {
    const recipe = this.parts.store.recipe(id);
    this.#happen(id, 'start');
    const pace = new Pace();
    const metric = (each: Metric): void => {
      pace.hear(each);
      this.parts.hear?.(id, each);
      if (each.kind === 'checkpoint') this.#try(id, () => this.parts.store.checkpointed(id, each.sequence));
    };
    const note = (text: string): void => this.parts.log('info', text, { run: id, name });
    const changed = (taken: Settings): void => void this.#try(id, () => this.parts.store.taken(id, taken));
    const asked = JSON.parse(settings) as Settings;
    const launched = this.parts.launch({ id, recipe, directory, settings: asked }, { metric, note, changed });
    this.#running.set(id, { launched, pace });
    this.parts.log('info', 'run started', { run: id, name, directory });
    void launched.ended.then((end) => this.#ended(id, end));
  }

  /** Until its end is on record, a run keeps its place. */
  #ended(id: string, end: LaunchEnd): void {
    const reason = 'reason' in end ? end.reason : undefined;
    const recorded = this.#try(id, () => {
      const { attempts, state } = this.#happen(id, end.kind, reason, this.#retryAfter(id, end));
      this.parts.log(reason === undefined ? 'info' : 'warn', `run ${state}`, { run: id, attempts, reason });
    });
    if (!recorded && !this.#leaving) {
      setTimeout(() => this.#ended(id, end), AGAIN_MILLISECONDS).unref();
      return;
    }
    if (end.kind === 'die') this.deaths += 1;
    this.#running.delete(id);
    this.#fill();
  }

  #retryAfter(id: string, { kind }: LaunchEnd): number {
    if (kind !== 'die') return 0;
    const { attempts } = this.parts.store.find(id);
    const seconds = Math.min(LONGEST_WAIT_SECONDS, this.#config.retrySeconds * 2 ** attempts);
    return this.#now() + 1000 * seconds;
  }

  #happen(id: string, event: RunEvent, reason?: string, retry?: number): StoredRun {
    return this.parts.store.happen(id, event, {
      now: this.#now(),
      most: this.#config.attempts,
      reason: reason ?? null,
      ...(retry !== undefined && { retry }),
    });
  }

  /** One run's trouble must not be that of the others. @returns whether there was none */
  #try(id: string | null, work: () => unknown): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.parts.log('error', error instanceof Error ? error.message : String(error), { run: id });
      return false;
    }
  }

  #refuseLeaving(): void {
    if (this.#leaving) refuseLeaving('try again when it is back');
  }
}
