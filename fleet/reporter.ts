/** @file What a run that trains tells Redis: where it is, its metrics, in order, and thresholds that they got beyond. */
import { join } from 'node:path';
import { Pace, type DaemonConfig, type Launched, type Live } from '../daemon/index.js';
import type { Metric } from '../streams/index.js';
import { Feed } from './feed.js';
import type { Ledger } from './ledger.js';
import type { Taken } from './run.js';
import { Thresholds } from './thresholds.js';

export interface ReporterParts {
  readonly ledger: Ledger;
  readonly node: string;
  readonly taken: Taken;
  readonly config: () => DaemonConfig;
  /** Its process, once there is one. */
  readonly launched: () => Launched | undefined;
  /** Hears the run's version, which changes when somebody says something to it. */
  readonly version: (version: number) => void;
  /** Hears why nothing could be told. */
  readonly failed: (error: unknown) => void;
}

const FLUSH_MILLISECONDS = 500;

export class Reporter {
  readonly #pace = new Pace();
  readonly #feed: Feed;
  readonly #thresholds: Thresholds;
  readonly #timer: NodeJS.Timeout;
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly parts: ReporterParts) {
    const { epoch, run } = parts.taken;
    this.#feed = new Feed(epoch, join(run.directory, 'metrics.ndjson'));
    this.#thresholds = new Thresholds({ ...parts, hooks: () => parts.config().webhooks });
    this.#timer = setInterval(() => {
      if (!this.#feed.empty || !this.#thresholds.empty) void this.report().catch(() => undefined); // it is said, and tried again
    }, FLUSH_MILLISECONDS);
  }

  hear(metric: Metric): void {
    this.#pace.hear(metric);
    this.#feed.hear(metric);
    this.#thresholds.hear(metric);
  }

  /** @throws FLEET_LEASE_LOST, FLEET_REDIS */
  report(): Promise<void> {
    this.#last = this.#last.catch(() => undefined).then(() => this.#send());
    return this.#last;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  async #send(): Promise<void> {
    const { ledger, node, taken, version, failed } = this.parts;
    try {
      await this.#feed.sent(async (stream, metrics) =>
        version(await ledger.report(taken, node, this.#live(), stream, metrics)),
      );
      await this.#thresholds.tell();
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  #live(): Live {
    const { page = null, pid = null } = this.parts.launched() ?? {};
    return { page, pid, progress: this.#pace.progress };
  }
}
