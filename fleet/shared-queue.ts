/** @file A queue that daemons on many machines share: this one's view of it, and its part of the work. */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  asking,
  evaluatedNames,
  evaluationsIn,
  moved,
  refuseLeaving,
  unknownFile,
  viewOf,
  WITH_PROCESS,
  type Change,
  type Courier,
  type DaemonConfig,
  type EvaluationsView,
  type FileContent,
  type FilesView,
  type LogView,
  type Queue,
  type RunCommand,
  type RunView,
  type Submitted,
  type WorkerView,
} from '../daemon/index.js';
import { answersIn, type AnswersView, type MetricsPage } from '../monitor/index.js';
import type { BlobStore } from './blobs.js';
import type { CachedRecords } from './cached-records.js';
import { committedFile, committedFiles } from './committed.js';
import type { Jobs } from './jobs.js';
import { KEYS } from './keys.js';
import { happened } from './happened.js';
import type { Ledger } from './ledger.js';
import type { RunLines } from './lines.js';
import type { FleetLetter } from './mail.js';
import { metricsBehind } from './metrics.js';
import { redisError, type Connection } from './redis.js';
import type { FleetRun, Kept } from './run.js';
import type { FleetWorker } from './worker.js';
import type { Workers } from './workers.js';

export interface SharedQueueParts {
  readonly node: string;
  readonly shown: string;
  readonly redis: Connection;
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  readonly records: CachedRecords;
  readonly lines: RunLines;
  readonly worker: FleetWorker;
  readonly workers: Workers;
  /** Tells webhooks. */
  readonly courier: Courier<FleetLetter>;
  /** Where runs are before they have a directory, and what was committed of them. */
  readonly store: BlobStore;
  readonly config: { now: DaemonConfig };
  /** Begins, and gives the end of, what goes on beside. */
  readonly begin: () => Promise<() => Promise<void>>;
}

export class SharedQueue implements Queue {
  #leaving = false;
  #end: () => Promise<void> = () => Promise.resolve();

  constructor(private readonly parts: SharedQueueParts) {}

  get ready(): boolean {
    return !this.#leaving && this.parts.redis.status === 'ready';
  }

  get deaths(): number {
    return this.parts.worker.deaths;
  }

  async start(): Promise<void> {
    this.#end = await this.parts.begin();
    this.parts.courier.configure(this.parts.config.now.webhooks);
    this.parts.worker.start();
  }

  configure(config: DaemonConfig): void {
    this.parts.config.now = config;
    this.parts.worker.wake();
    this.parts.courier.configure(config.webhooks);
  }

  async all(): Promise<readonly RunView[]> {
    return (await this.parts.ledger.all()).map((kept) => this.#view(kept));
  }

  async submit(submitted: Submitted): Promise<RunView> {
    this.#refuseLeaving();
    const { name, priority, labels = {} } = submitted;
    const id = randomBytes(4).toString('hex');
    const run: FleetRun = {
      ...{ id, name, priority, sequence: 0, directory: `${this.parts.store.shown}/runs/${id}` },
      ...{ state: 'queued', goal: null, attempts: 0, reason: null, checkpointed: -1, retry: 0 },
      ...{ created: Date.now(), started: null, ended: null, settings: '{}', labels: JSON.stringify(labels) },
      ...{ node: null, worker: null, job: randomUUID(), write: '' },
    };
    const kept = await this.parts.ledger.submit(run, submitted);
    if (kept.run.id !== id) return this.#view(kept);
    await this.parts.jobs.add(run, Date.now());
    this.parts.lines.log('info', 'run submitted', { run: id, name, priority });
    return this.#view(kept);
  }

  async command(id: string, command: RunCommand): Promise<RunView> {
    this.#refuseLeaving();
    const { node, ledger, jobs, lines, config } = this.parts;
    const job = randomUUID();
    let before: FleetRun | undefined;
    const { run } = await ledger.update(id, { node }, (kept) => {
      before = kept.run;
      const next = moved(before, command, { now: Date.now(), most: config.now.attempts });
      const stands = next.state === 'queued' ? job : WITH_PROCESS.includes(next.state) ? before.job : null;
      return { run: { ...next, job: stands }, events: [happened(next, command)] };
    });
    lines.log('info', `${command} asked for`, { run: id, name: run.name, state: run.state });
    if (run.state === 'queued') await jobs.add(run, Date.now());
    else if (run.job === null && before?.job) await jobs.remove(before.job);
    else await this.#nudge(id);
    return this.#view(await ledger.find(id));
  }

  async change(id: string, { priority, settings }: Change): Promise<RunView> {
    const { node, ledger, jobs } = this.parts;
    const { run } = await ledger.update(id, { node }, ({ run: now }) => ({
      run: {
        ...now,
        ...(priority !== undefined && { priority }),
        ...(settings !== undefined && { settings: asking(now, settings) }),
      },
    }));
    if (priority !== undefined && run.job !== null && run.state === 'queued')
      await jobs.prioritize(run.job, priority);
    if (settings !== undefined) await this.#nudge(id);
    return this.#view(await ledger.find(id));
  }

  async recipe(id: string): Promise<unknown> {
    return this.parts.ledger.recipe(id);
  }

  async metrics(id: string, after: string, points: number): Promise<MetricsPage> {
    await this.parts.ledger.find(id);
    const { redis, shown } = this.parts;
    return metricsBehind(redis, id, after, points).catch((error: unknown) => redisError(shown, error));
  }

  async answers(id: string, index: number): Promise<AnswersView> {
    await this.parts.ledger.find(id);
    const directory = await this.parts.records.of(id);
    return directory === undefined ? { questions: 0, answers: [] } : answersIn(directory, index);
  }

  async evaluations(id: string): Promise<EvaluationsView> {
    const names = evaluatedNames(await this.parts.ledger.recipe(id));
    const directory = await this.parts.records.of(id);
    return directory === undefined ? { models: [] } : evaluationsIn(directory, names);
  }

  async log(id: string): Promise<LogView> {
    await this.parts.ledger.find(id);
    const [events, lines] = await Promise.all([this.parts.ledger.events(id), this.parts.lines.of(id)]);
    return { events: [...events], lines: [...lines] };
  }

  async files(id: string): Promise<FilesView> {
    await this.parts.ledger.find(id);
    const manifest = await this.parts.ledger.manifest(id);
    return manifest ? committedFiles(this.parts.store, id, manifest) : { files: [] };
  }

  async file(id: string, name: string): Promise<FileContent> {
    await this.parts.ledger.find(id);
    const manifest = await this.parts.ledger.manifest(id);
    return manifest ? committedFile(this.parts.store, id, manifest, name) : unknownFile(name);
  }

  async workers(): Promise<readonly WorkerView[]> {
    const { workers, ledger, node, shown } = this.parts;
    const heard = await workers.all().catch((error: unknown) => redisError(shown, error));
    const taken = (await ledger.all()).filter(({ run }) => WITH_PROCESS.includes(run.state));
    return heard.map((each) => ({
      ...each,
      runs: taken.flatMap(({ run }) => (run.node === each.id ? [run.id] : [])),
      here: each.id === node,
    }));
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    await this.parts.worker.leave(1000 * this.parts.config.now.graceSeconds);
  }

  killAll(): void {
    this.parts.worker.killAll();
  }

  async close(): Promise<void> {
    await this.#end();
    await this.parts.courier.close();
    await this.parts.records.close();
    await this.parts.jobs.close();
    this.parts.redis.disconnect();
  }

  /** What is not heard is seen at the next renewal. */
  async #nudge(id: string): Promise<void> {
    await this.parts.redis.publish(KEYS.nudges, id).catch(() => 0);
  }

  /** A process and its page are of use on their own machine alone. */
  #view({ run, live }: Kept): RunView {
    const own = run.node === this.parts.node;
    const seen = live && {
      page: own ? live.page : null,
      pid: own ? live.pid : null,
      progress: live.progress,
    };
    return viewOf(run, WITH_PROCESS.includes(run.state) ? seen : null, run.worker);
  }

  #refuseLeaving(): void {
    if (this.#leaving) refuseLeaving('ask another daemon of the queue, or this one when it is back');
  }
}
