/** @file Takes runs of the shared queue, as many at a time as this daemon may have, until it leaves. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { moved } from '../daemon/index.js';
import { Assignment, type AssignmentParts } from './assignment.js';
import { taking } from './changes.js';
import type { RunJob } from './jobs.js';
import { happened } from './happened.js';
import { placeOf, removeLeftDirectories } from './leftovers.js';
import type { Kept, Taken } from './run.js';
import { isPassing, messageOf } from './trouble.js';

export interface WorkerParts extends AssignmentParts {
  /** Its machine, for people. */
  readonly host: string;
  /** Where runs get their directories. */
  readonly runs: string;
}

const AGAIN_MILLISECONDS = 1000;
const LONGEST_TAKING_MILLISECONDS = 3000;
/** How long nothing is said of a trouble that lasts. */
const QUIET_MILLISECONDS = 60_000;

export class FleetWorker {
  readonly #assignments = new Set<Assignment>();
  #taking: Promise<void> | undefined;
  #leaving = false;
  #woken: () => void = () => undefined;
  #complained = 0;
  /** Deaths of processes since this daemon started. */
  deaths = 0;

  constructor(private readonly parts: WorkerParts) {}

  start(): void {
    this.#taking = this.#takeAll();
  }

  /** Looks again how many runs it may have. */
  wake(): void {
    this.#woken();
  }

  /** Somebody has said something to a run, which may be here. */
  nudge(id: string): void {
    for (const assignment of this.#assignments)
      if (assignment.id === id)
        assignment.look().catch((error: unknown) => this.#complain(`run ${id}: ${messageOf(error)}`));
  }

  /** Every run saves, is published, and waits for another worker. */
  async leave(graceMilliseconds: number): Promise<void> {
    this.#leaving = true;
    this.wake();
    const late = setTimeout(() => this.killAll(), graceMilliseconds);
    // What it is about to take, it gives back, unless Redis is away: then its lock runs out.
    await Promise.race([this.#taking, pause(LONGEST_TAKING_MILLISECONDS)]);
    for (const assignment of this.#assignments) {
      await this.#left(assignment).catch((error: unknown) => this.#complain(messageOf(error)));
      assignment.stop();
    }
    while (this.#assignments.size > 0) {
      await Promise.all([...this.#assignments].map(({ ended }) => ended));
      await pause(0); // what an end brings about comes first
    }
    clearTimeout(late);
  }

  /** Removes what killed workers left here of runs that are others' by now. */
  async tidy(all: readonly Kept[]): Promise<void> {
    const mine = new Set([...this.#assignments].map(({ id }) => id));
    const removed = await removeLeftDirectories(this.parts.runs, all, mine);
    if (removed.length > 0) this.parts.log('info', 'left directories removed', { directories: removed });
  }

  killAll(): void {
    for (const assignment of this.#assignments) {
      this.parts.log('warn', 'run killed: it did not save in time', { run: assignment.id });
      assignment.hurry();
    }
  }

  async #left({ id, taken: { epoch } }: Assignment): Promise<void> {
    const { ledger, node, config } = this.parts;
    await ledger.update(id, { node, epoch }, ({ run }) => {
      const next = moved(run, 'leave', { now: Date.now(), most: config().attempts });
      return { run: next, events: [happened(next, 'leave')] };
    });
  }

  async #takeAll(): Promise<void> {
    while (!this.#leaving) {
      if (this.#assignments.size >= this.parts.config().parallel) {
        await new Promise<void>((resolve) => (this.#woken = resolve));
        continue;
      }
      try {
        await this.#takeNext();
      } catch (error) {
        this.#complain(messageOf(error));
        await pause(AGAIN_MILLISECONDS);
      }
    }
  }

  async #takeNext(): Promise<void> {
    const token = randomUUID();
    const job = await this.parts.jobs.next(token);
    if (!job) return;
    if (this.#leaving) {
      await job.moveToWait(token);
      return;
    }
    const taken = await this.#taken(job).catch((error: unknown) => {
      if (isPassing(error)) throw error; // the job comes again when its lock has run out
      this.#complain(messageOf(error));
      return undefined;
    });
    if (!taken) {
      await job.moveToCompleted(null, token, false);
      return;
    }
    this.#begin(new Assignment(this.parts, job, token, taken));
  }

  async #taken(job: RunJob): Promise<Taken | undefined> {
    const { ledger, node, host, runs, config } = this.parts;
    return ledger.take(job.data.id, node, ({ run, epoch }) => {
      const directory = join(runs, placeOf(run, epoch + 1));
      const taker = { node, worker: host, directory, job: job.id ?? '' };
      return taking(run, taker, config(), Date.now());
    });
  }

  #begin(assignment: Assignment): void {
    const { run, epoch } = assignment.taken;
    const { id, name, directory } = run;
    this.#assignments.add(assignment);
    if (this.#leaving) assignment.stop();
    this.parts.log('info', 'run started', { run: id, name, directory, epoch });
    void assignment.ended.then((end) => {
      if (end === 'die') this.deaths += 1;
      this.#assignments.delete(assignment);
      this.wake();
    });
  }

  #complain(text: string): void {
    if (Date.now() - this.#complained < QUIET_MILLISECONDS) return;
    this.#complained = Date.now();
    this.parts.log('warn', 'trouble with the queue', { reason: text });
  }
}
