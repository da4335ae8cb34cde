/**
 * @file A run of a daemon, alone and then watched by many: what serving costs beside training, what it holds in memory,
 * whether every honest viewer ends with the right values, and what becomes of those that stall or mean no good.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readAddress, type RunView } from '../../daemon/index.js';
import { metricsIn } from '../../monitor/index.js';
import { loadRecipe } from '../../recipes/index.js';
import { Machine } from '../crash/machine.js';
import { Crowd } from './crowd.js';
import type { CrowdReport } from './crowd-process.js';
import { Gauge, type Window } from './gauge.js';
import { seriesName, viewOf, type Last } from './watcher.js';

export interface FanOutOptions {
  readonly honest: number;
  readonly stalled: number;
  readonly hostile: number;
  /** Whether stalled ones do not read again before they have been dropped. */
  readonly drop: boolean;
  /** Of viewers. */
  readonly processes: number;
  /** Of every window that is measured: it ends at the first look after so many steps. */
  readonly steps: number;
  /** Settings of the recipe `tiny` that make its steps longer. */
  readonly set: readonly string[];
  /** An empty directory. */
  readonly directory: string;
  readonly say: (text: string) => void;
}

export interface FanOutResult {
  /** By name, in order. */
  readonly windows: Readonly<Record<string, Window>>;
  /** Largest memory of the serving process, in MB, and most bytes that waited for viewers. */
  readonly peak: number;
  readonly waiting: number;
  /** Viewers that the server still had when the stalled ones had been dropped, if they were to be. */
  readonly viewers: number | null;
  readonly crowd: CrowdReport;
  /** Viewers whose last value of every series is that of the record. */
  readonly right: Readonly<Record<'honest' | 'stalled', number>>;
  readonly errors: readonly string[];
}

/** It is stopped, not awaited. */
const ENDLESS = ['arms={"lat":{}}', 'steps=1000000', 'evaluate.every=0', 'checkpoint.every=50'];

export async function fanOut(options: FanOutOptions): Promise<FanOutResult> {
  const state = join(options.directory, 'state');
  mkdirSync(state, { mode: 0o700 });
  const machine = new Machine(state);
  const crowd = new Crowd(options.processes);
  machine.boot();
  try {
    return await new FanOut(machine, crowd, options).whole();
  } finally {
    crowd.end();
    await machine.end();
  }
}

class FanOut {
  #id = '';
  readonly #gauge: Gauge;
  readonly #windows: Record<string, Window> = {};

  constructor(
    private readonly machine: Machine,
    private readonly crowd: Crowd,
    private readonly options: FanOutOptions,
  ) {
    this.#gauge = new Gauge(machine, () => this.#run());
  }

  async whole(): Promise<FanOutResult> {
    const { honest, stalled, hostile, drop, set } = this.options;
    await this.machine.runs();
    const client = await this.machine.client();
    const recipe = await loadRecipe('tiny', { set: [...ENDLESS, ...set] });
    const submitted = await client?.submit({ recipe, name: 'fan-out' });
    this.#id = submitted?.id ?? '';
    await this.#training();
    await this.#measured('alone');

    const { page } = await this.#training();
    const daemon = (await readAddress(this.machine.state))?.url ?? '';
    await this.#measured('joining', async () => {
      this.crowd.join({ page, daemon, honest, stalled, hostile: 0 });
      await this.crowd.until((report) => report.honest.live === honest);
    });
    await this.#measured('watched');
    this.crowd.join({ page, daemon, honest: 0, stalled: 0, hostile });
    await this.#measured('with hostile viewers');
    const viewers = drop ? await this.#dropped(page, honest + hostile) : null;
    this.crowd.calm();
    await this.#measured('calm again');

    await client?.command(this.#id, 'stop');
    await this.#until(({ state }) => state === 'stopped');
    const report = await this.crowd.until((seen) => seen.honest.open + seen.stalled.open === 0);
    const view = await viewIn((await this.#run()).directory);
    await client?.command(this.#id, 'resume');
    await this.#training();
    await this.#measured('alone again');
    await client?.command(this.#id, 'cancel');
    const { peak, waiting } = this.#gauge;
    return {
      windows: this.#windows,
      ...{ peak, waiting, viewers },
      crowd: report,
      right: { honest: report.honest.views[view] ?? 0, stalled: report.stalled.views[view] ?? 0 },
      errors: this.machine.errors,
    };
  }

  async #run(): Promise<RunView> {
    return (await this.machine.runs()).find(({ id }) => id === this.#id) as RunView;
  }

  async #until(holds: (run: RunView) => boolean): Promise<RunView> {
    for (;;) {
      const run = await this.#run();
      if (holds(run)) return run;
      if (run.state === 'failed') throw new Error(run.reason ?? 'the run failed');
      await pause(100);
    }
  }

  /** Once it is past what only the first steps do. */
  async #training(): Promise<{ readonly page: string }> {
    let first: number | undefined;
    const { live } = await this.#until(({ live: now }) => {
      const step = now?.progress?.step;
      first ??= step;
      return first !== undefined && (step ?? 0) >= first + 10;
    });
    return { page: live?.page ?? '' };
  }

  /** @param during what is measured; so many steps, if not given. */
  async #measured(name: string, during?: () => Promise<void>): Promise<void> {
    const window = await this.#gauge.window(this.options.steps, during);
    this.#windows[name] = window;
    this.options.say(`${name}: ${JSON.stringify(window)}`);
  }

  /** Waits until no more viewers are there than may be. @returns how many there are */
  async #dropped(page: string, most: number): Promise<number> {
    for (;;) {
      const { viewers } = await this.#gauge.health(page);
      if (viewers <= most) return viewers;
      await pause(500);
    }
  }
}

/** The last of every series of a run's record. */
async function viewIn(directory: string): Promise<string> {
  const last = new Map<string, Last>();
  for await (const metric of metricsIn(join(directory, 'metrics.ndjson'))) {
    const { sequence, step, values } = metric;
    last.set(seriesName(metric), { sequence, step, values });
  }
  return viewOf(last);
}
