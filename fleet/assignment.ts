/**
 * @file One run that this worker has: brought here, trained, published, and given back. Nothing of it reaches Redis under another
 * epoch than the one that it was taken with; when the lease is lost its process is killed, and it is forgotten.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import {
  untaken,
  type DaemonConfig,
  type Launched,
  type Launcher,
  type LaunchEnd,
  type Log,
  type Settings,
} from '../daemon/index.js';
import type { Metric } from '../streams/index.js';
import type { BlobStore } from './blobs.js';
import { ending } from './changes.js';
import type { Jobs, RunJob } from './jobs.js';
import { Lease } from './lease.js';
import type { Change, Ledger } from './ledger.js';
import { materialize, removeLeftovers } from './publish.js';
import { Publisher } from './publisher.js';
import { Reporter } from './reporter.js';
import type { FleetRun, Kept, Taken } from './run.js';
import { endOf, isLost, isPassing, messageOf } from './trouble.js';

export interface AssignmentParts {
  readonly node: string;
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  readonly store: BlobStore;
  readonly launch: Launcher;
  readonly log: Log;
  readonly config: () => DaemonConfig;
}

const AGAIN_MILLISECONDS = 1000;
const TAKEN = 'another worker has taken it';
/** Its directory stays here, for whoever looks. */
const STAYING = ['done', 'failed', 'stopped', 'cancelled'];

export class Assignment {
  /** Never rejects. */
  readonly ended: Promise<LaunchEnd['kind'] | 'lost'>;
  readonly #lease: Lease;
  readonly #reporter: Reporter;
  readonly #publisher: Publisher;
  #launched: Launched | undefined;
  #lost: string | undefined;
  #unwanted: 'stop' | 'kill' | undefined;
  #hurried = false;
  #seen: number;
  #told: string;

  constructor(
    private readonly parts: AssignmentParts,
    private readonly job: RunJob,
    private readonly token: string,
    readonly taken: Taken,
  ) {
    const { directory } = taken.run;
    this.#seen = taken.version;
    this.#told = taken.run.settings;
    this.#reporter = new Reporter({
      ...{ ...parts, taken, launched: () => this.#launched },
      version: (version) => {
        if (version !== this.#seen && this.#lost === undefined) void this.look().catch(() => undefined);
      },
      failed: (error) => {
        if (isLost(error)) this.#lose(TAKEN);
      },
    });
    this.#publisher = new Publisher({ ...parts, taken, directory, warn: (text) => this.#say('warn', text) });
    this.#lease = new Lease({
      lockMilliseconds: parts.jobs.lockMilliseconds,
      renew: () => this.#renew(),
      lost: (why) => this.#lose(why),
    });
    this.ended = this.#whole();
  }

  get id(): string {
    return this.taken.run.id;
  }

  stop(): void {
    this.#unwanted ??= 'stop';
    this.#launched?.stop();
  }

  kill(): void {
    this.#unwanted = 'kill';
    this.#launched?.kill();
  }

  /** It is to be over soon, whatever cannot be reached. */
  hurry(): void {
    this.#hurried = true;
    this.kill();
  }

  /** Looks what people want of it. */
  async look(): Promise<void> {
    const { run, version, epoch } = await this.parts.ledger.find(this.id);
    if (epoch !== this.taken.epoch) this.#lose(TAKEN);
    if (this.#lost !== undefined) return;
    this.#seen = version;
    if (run.state === 'stopping' && run.goal === 'cancelled') this.kill();
    else if (run.state === 'stopping') this.stop();
    if (run.settings !== this.#told) this.#launched?.change(JSON.parse(run.settings) as Settings);
    this.#told = run.settings;
  }

  async #whole(): Promise<LaunchEnd['kind'] | 'lost'> {
    const { directory } = this.taken.run;
    let state: string | undefined;
    let end: LaunchEnd['kind'] = 'die';
    try {
      const how = await this.#trained().catch(endOf);
      end = how.kind;
      state = this.#lost === undefined ? (await this.#settled(how))?.state : undefined;
    } catch (error) {
      this.#say('error', messageOf(error));
    }
    this.#lease.end();
    this.#reporter.end();
    if (state === undefined) this.#say('warn', 'run left to others', { reason: this.#lost ?? null });
    const stays = state !== undefined && STAYING.includes(state);
    if (!stays) await rm(directory, { recursive: true, force: true }).catch(() => undefined);
    return this.#lost === undefined ? end : 'lost';
  }

  /** Brought here, and its process until that has ended. */
  async #trained(): Promise<LaunchEnd> {
    const { parts, taken, id } = this;
    const { directory, settings } = taken.run;
    await rm(directory, { recursive: true, force: true });
    if (taken.manifest) await materialize(parts.store, id, taken.manifest, directory);
    if (taken.epoch > 1)
      await removeLeftovers(parts.store, id, taken.epoch, taken.manifest).catch(() => undefined);
    if (this.#unwanted !== undefined || this.#lost !== undefined) return { kind: 'save' };
    const asked = JSON.parse(settings) as Settings;
    const launch = { id, recipe: taken.recipe, directory, settings: asked, movable: true } as const;
    this.#launched = parts.launch(launch, {
      metric: (metric) => this.#hear(metric),
      note: (text) => this.#say('info', text),
      changed: (asked) =>
        void this.#update(({ run }) => ({ run: { ...run, settings: untaken(run, asked) } })).catch(
          (error: unknown) => this.#say('warn', messageOf(error)),
        ),
    });
    return this.#launched.ended;
  }

  #hear(metric: Metric): void {
    this.#reporter.hear(metric);
    if (metric.kind !== 'checkpoint' && metric.kind !== 'evaluate') return;
    void this.#checkpointed(metric).catch((error: unknown) => {
      if (isLost(error)) this.#lose(TAKEN);
      if (this.#lost === undefined)
        this.#say('warn', 'checkpoint not published', { reason: messageOf(error) });
    });
  }

  /** Attempts are given back for what others can go on from. */
  async #checkpointed({ kind, sequence }: Metric): Promise<void> {
    // What was measured before a checkpoint is not measured again by who goes on from it.
    await this.#reporter.report();
    await this.#publisher.publish();
    if (kind === 'checkpoint')
      await this.#update(({ run }) =>
        run.checkpointed < sequence ? { run: { ...run, checkpointed: sequence, attempts: 0 } } : undefined,
      );
  }

  /** Published and written down, however long that takes. @returns undefined where the run was lost meanwhile */
  async #settled(end: LaunchEnd): Promise<FleetRun | undefined> {
    const { parts, id } = this;
    const write = randomUUID();
    const job = randomUUID();
    for (;;) {
      if (this.#lost !== undefined) return undefined;
      try {
        // What is cancelled is nobody's to go on with.
        if (this.#unwanted !== 'kill' || this.#hurried) await this.#publisher.publish();
        await this.#reporter.report();
        const run = await this.#update(({ run }) => ending(run, end, job, parts.config(), Date.now()), write);
        await this.#givenBack(run);
        const { state, attempts, reason } = run;
        this.#say(reason === null ? 'info' : 'warn', `run ${state}`, { attempts, reason });
        if (end.kind === 'finish')
          await removeLeftovers(parts.store, id, this.taken.epoch + 1, this.#publisher.known).catch(() => 0);
        return run;
      } catch (error) {
        if (isLost(error)) this.#lose(TAKEN);
        else this.#say('warn', 'run not given back yet', { reason: messageOf(error) });
        if (this.#hurried || !isPassing(error)) return undefined;
        await pause(AGAIN_MILLISECONDS);
      }
    }
  }

  /** What is not reached here, the look for what waits without a job does later. */
  async #givenBack(run: FleetRun): Promise<void> {
    try {
      await this.parts.jobs.add(run, Date.now());
      await this.job.moveToCompleted(null, this.token, false);
    } catch (error) {
      this.#say('warn', 'job left behind', { reason: messageOf(error) });
    }
  }

  async #renew(): Promise<boolean> {
    const ours = await this.job.extendLock(this.token, this.parts.jobs.lockMilliseconds);
    if (ours === 0) return false;
    await this.#reporter.report().catch((error: unknown) => {
      if (isLost(error)) throw error;
    });
    return true;
  }

  async #update(change: (kept: Kept) => Change | undefined, write?: string): Promise<FleetRun> {
    const asker = { node: this.parts.node, epoch: this.taken.epoch, ...(write !== undefined && { write }) };
    return (await this.parts.ledger.update(this.id, asker, change)).run;
  }

  #lose(why: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = why;
    this.#launched?.kill();
    this.#lease.end();
    this.#reporter.end();
    this.#say('warn', 'run lost: its process is killed', { reason: why });
    // What it had measured is offered once more; Redis refuses it where another worker has the run.
    void this.#reporter.report().catch((error: unknown) => {
      if (isLost(error)) this.#say('warn', 'late writes refused', { reason: messageOf(error) });
    });
  }

  #say(level: 'info' | 'warn' | 'error', text: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const { id, name } = this.taken.run;
    this.parts.log(level, text, { run: id, name, epoch: this.taken.epoch, ...fields });
  }
}
