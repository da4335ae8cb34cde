/** @file What serving and training take while something happens. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RunView } from '../../daemon/index.js';
import type { Machine } from '../crash/machine.js';
import { figuresOf, type ProcessFigures } from './process-figures.js';
import { trendOf, type Trend } from './trend.js';

/** Between two moments of a run. */
export interface Window {
  readonly seconds: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  /** CPU milliseconds of each process for a step. */
  readonly training: number;
  readonly serving: number;
  /** Serving / training. */
  readonly share: number;
  /** Memory of the serving process over the whole window, in MB by 1000 seconds. */
  readonly memory: Trend;
}

interface Moment {
  readonly seconds: number;
  readonly step: number;
  readonly serving: ProcessFigures;
  readonly training: ProcessFigures;
}

interface Health {
  readonly viewers: number;
  /** Bytes; not told by older servers. */
  readonly waiting?: number;
}

/** Looking costs the serving process, too. */
const LOOK_MILLISECONDS = 5000;
const MEGABYTE = 2 ** 20;

/** Looks every few seconds while it measures. */
export class Gauge {
  /** Of the serving process's memory, in MB. */
  peak = 0;
  /** Most bytes that waited for viewers. */
  waiting = 0;

  constructor(
    private readonly machine: Machine,
    private readonly run: () => Promise<RunView>,
  ) {}

  /** @param during what is measured, or so many steps. */
  async window(steps: number, during?: () => Promise<void>): Promise<Window> {
    const first = await this.#moment();
    const moments = [first];
    let isOver = false;
    const happening = during?.().finally(() => (isOver = true));
    for (;;) {
      await Promise.race([pause(LOOK_MILLISECONDS), ...(happening ? [happening] : [])]);
      const now = await this.#moment();
      moments.push(now);
      if (happening ? isOver : now.step >= first.step + steps) break;
    }
    await happening;
    return windowOf(moments);
  }

  async health(page: string): Promise<Health> {
    const health = (await (await fetch(new URL('/healthz', page))).json()) as Health;
    this.waiting = Math.max(this.waiting, health.waiting ?? 0);
    return health;
  }

  async #moment(): Promise<Moment> {
    const { live } = await this.run();
    const [serving, training] = [figuresOf(this.machine.pid), figuresOf(live?.pid ?? 0)];
    if (!serving || !training || !live?.progress) throw new Error('the run has no process');
    this.peak = Math.max(this.peak, serving.residentBytes / MEGABYTE);
    if (live.page !== null) await this.health(live.page);
    return { seconds: performance.now() / 1000, step: live.progress.step, serving, training };
  }
}

function windowOf(moments: readonly Moment[]): Window {
  const [first, last] = [moments[0] as Moment, moments.at(-1) as Moment];
  const [seconds, steps] = [last.seconds - first.seconds, last.step - first.step];
  const cost = (of: 'serving' | 'training'): number =>
    (1000 * (last[of].cpuSeconds - first[of].cpuSeconds)) / steps;
  return {
    ...{ seconds, steps },
    stepsPerSecond: steps / seconds,
    training: cost('training'),
    serving: cost('serving'),
    share: cost('serving') / cost('training'),
    memory: trendOf(
      moments.map(({ seconds: x, serving }) => ({ x, y: serving.residentBytes / MEGABYTE })),
      0,
    ),
  };
}
