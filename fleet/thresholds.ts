/**
 * @file Looks for the worker that has a run whether its metrics got beyond thresholds of webhooks, and tells the queue: once for each
 * arm, address and threshold, whoever has the run, and refused where somebody else has it by now.
 */
import { crossedBy, type Webhook } from '../daemon/index.js';
import type { Metric } from '../streams/index.js';
import { newsAbout, type News } from './happened.js';
import type { Ledger } from './ledger.js';
import { groupOf } from './mail.js';
import type { Taken } from './run.js';

export interface ThresholdsParts {
  readonly ledger: Ledger;
  readonly node: string;
  readonly taken: Taken;
  readonly hooks: () => readonly Webhook[];
}

interface Crossing {
  /** What is told once. */
  readonly what: string;
  readonly to: string;
  readonly threshold: NonNullable<Webhook['threshold']>;
  readonly measured: Metric;
  readonly now: number;
}

export class Thresholds {
  /** Those that were crossed, to spare Redis. */
  readonly #known = new Set<string>();
  #waiting: readonly Crossing[] = [];

  constructor(private readonly parts: ThresholdsParts) {}

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  hear(measured: Metric): void {
    for (const { hook, threshold } of crossedBy(this.parts.hooks(), measured)) {
      const to = groupOf(hook.url);
      const what = JSON.stringify([measured.run, to, threshold]);
      if (this.#known.has(what)) continue;
      this.#known.add(what);
      this.#waiting = [...this.#waiting, { what, to, threshold, measured, now: Date.now() }];
    }
  }

  /** When it resolves, the queue knows of all that was crossed. Not twice at a time. @throws FLEET_LEASE_LOST, FLEET_REDIS */
  async tell(): Promise<void> {
    const { ledger, node, taken } = this.parts;
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const { what, to, threshold, measured, now } = next;
      const { run } = await ledger.find(taken.run.id);
      const news: News = { ...newsAbout({ event: 'threshold', run, now, measured }), to, threshold };
      await ledger.tell(taken, node, what, news);
      this.#waiting = this.#waiting.slice(1);
    }
  }
}
