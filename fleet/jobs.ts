/** @file Whose turn it is: BullMQ's order, locks and detection of stalled jobs. A job says only which run it stands for. */
import { Queue, Worker, type Job, type RedisOptions as BullOptions } from 'bullmq';
import type { RedisAddress } from './address.js';
import { PREFIX, QUEUE } from './keys.js';
import { connectionOptions, redisError } from './redis.js';
import type { FleetRun } from './run.js';

export type RunJob = Job<{ readonly id: string }>;

/** BullMQ's first is 1; ours are at most a million, and the greater goes first. */
const LAST_PRIORITY = 1_000_001;
/** Takings over do not make a job worse: what a run dies of is counted by the run. */
const NO_LIMIT = 1_000_000_000;
/** For what nobody said in time. */
const LONGEST_WAIT_SECONDS = 1;

export class Jobs {
  readonly #queue: Queue<{ readonly id: string }>;
  readonly #worker: Worker<{ readonly id: string }>;
  #closing = false;

  /** @param hear gets what goes wrong beside what is asked for */
  constructor(
    private readonly address: RedisAddress,
    readonly lockMilliseconds: number,
    hear: (error: Error) => void,
  ) {
    const options = connectionOptions(address, 'latstream-jobs') as BullOptions;
    // Whoever closes does not wait for a server that is away.
    const retryStrategy: BullOptions['retryStrategy'] = (times) =>
      this.#closing ? null : options.retryStrategy?.(times);
    const connection = { ...options, retryStrategy };
    const shared = { prefix: PREFIX, skipVersionCheck: true };
    this.#queue = new Queue(QUEUE, {
      ...shared,
      connection: { ...connection, maxRetriesPerRequest: 1 },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.#worker = new Worker(QUEUE, null, {
      ...shared,
      connection: { ...connection, maxRetriesPerRequest: null },
      autorun: false,
      lockDuration: lockMilliseconds,
      stalledInterval: Math.max(500, lockMilliseconds / 2),
      maxStalledCount: NO_LIMIT,
      drainDelay: LONGEST_WAIT_SECONDS,
    });
    this.#queue.on('error', hear);
    this.#worker.on('error', hear);
  }

  /** Looks for jobs whose workers are gone, from now on. */
  async start(): Promise<void> {
    await this.#worker.startStalledCheckTimer();
  }

  /** Once or several times: it is one job. */
  async add({ id, job, priority, retry }: FleetRun, now: number): Promise<void> {
    if (job === null) return;
    const delay = Math.max(0, retry - now);
    await this.#said(() => this.#queue.add('run', { id }, { jobId: job, priority: turnOf(priority), delay }));
  }

  /** What of these there is. */
  async present(jobs: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.#said(() => Promise.all(jobs.map((job) => this.#queue.getJob(job))));
    return new Set(jobs.filter((_, at) => found[at]));
  }

  async prioritize(job: string, priority: number): Promise<void> {
    const found = await this.#said(() => this.#queue.getJob(job));
    await found?.changePriority({ priority: turnOf(priority) }).catch(() => undefined); // it is somebody's by now
  }

  /** What is taken already finds that its run has changed. */
  async remove(job: string): Promise<void> {
    await this.#queue.remove(job).catch(() => undefined);
  }

  /** The next job, locked; waits for a second for one. */
  async next(token: string): Promise<RunJob | undefined> {
    return this.#worker.getNextJob(token);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.close(true).catch(() => undefined);
    await this.#queue.close().catch(() => undefined);
  }

  async #said<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      return redisError(this.address.shown, error);
    }
  }
}

function turnOf(priority: number): number {
  return LAST_PRIORITY - priority;
}
