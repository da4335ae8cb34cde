/** @file Many steps of one run of a daemon while visitors come and go: does anything grow? */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Point } from '../../bench/linear-fit.js';
import { readAddress, type RunView } from '../../daemon/index.js';
import { metricsIn } from '../../monitor/index.js';
import { loadRecipe } from '../../recipes/index.js';
import { Machine } from '../crash/machine.js';
import { trendOf, trendsOf, type Trend } from './trend.js';
import { figuresOf, type ProcessFigures } from './process-figures.js';
import type { Sample } from './sample.js';
import type { Visits, VisitsOrder } from './visits-process.js';

export interface SoakOptions {
  readonly steps: number;
  readonly seed: number;
  readonly watchers: number;
  readonly readers: number;
  /** An empty directory. */
  readonly directory: string;
  readonly sampleMilliseconds: number;
  readonly say: (text: string) => void;
}

export interface SoakResult {
  readonly state: RunView['state'];
  readonly steps: number;
  readonly visits: Visits;
  readonly samples: readonly Sample[];
  /** Over the second half. */
  readonly trends: Readonly<Record<string, Trend>>;
  /** What the daemon complained of. */
  readonly errors: readonly string[];
}

/** Settings of the recipe `tiny` that make its steps short. */
export const SMALL = [
  'attack.iterations=1',
  'defend.iterations=1',
  'data.pairsPerBatch=1',
  'data.benignPerBatch=1',
];
/** A step of some milliseconds, with an evaluation and a checkpoint now and then. */
const SETTINGS = ['arms={"lat":{}}', 'evaluate.every=500', 'checkpoint.every=500', ...SMALL];
/** Steps between looks at what a step reports. */
const EVERY = 10;
const OVER = new Set<RunView['state']>(['done', 'failed', 'stopped', 'cancelled']);

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const state = join(options.directory, 'state');
  mkdirSync(state, { mode: 0o700 });
  const machine = new Machine(state);
  machine.boot();
  try {
    await machine.runs();
    const client = await machine.client();
    const set = [...SETTINGS, `steps=${options.steps}`];
    const run = await client?.submit({ recipe: await loadRecipe('tiny', { set }), name: 'soak' });
    return await watched(machine, run?.id ?? '', options);
  } finally {
    await machine.end();
  }
}

async function watched(machine: Machine, id: string, options: SoakOptions): Promise<SoakResult> {
  const samples: Sample[] = [];
  let visitors: Visitors | undefined;
  const began = performance.now();
  for (;;) {
    const run = (await machine.runs()).find((each) => each.id === id);
    if (!run || OVER.has(run.state)) {
      const visits = (await visitors?.end()) ?? NO_VISITS;
      const { errors } = machine;
      const steps = samples.at(-1)?.step ?? 0;
      const state = run?.state ?? 'failed';
      const trends = {
        ...trendsOf(samples),
        'training: programs': trendOf(await programsIn(run?.directory)),
      };
      return { state, steps, visits, samples, trends, errors };
    }
    const { page = null, pid = null, progress = null } = run.live ?? {};
    const address = await readAddress(machine.state);
    if (page !== null && progress && address && !visitors)
      visitors = new Visitors({ page, daemon: address.url, token: address.token, run: id, ...options });
    const [serving, training] = [figuresOf(machine.pid), figuresOf(pid ?? 0)];
    if (serving && training && progress) {
      const seconds = (performance.now() - began) / 1000;
      samples.push({ seconds, step: progress.step, serving, training });
      options.say(said(samples));
    }
    await pause(options.sampleMilliseconds);
  }
}

/** How many were compiled, now and then. */
async function programsIn(directory = ''): Promise<Point[]> {
  const points: Point[] = [];
  for await (const { kind, step, values } of metricsIn(join(directory, 'metrics.ndjson')))
    if (kind === 'throughput' && step % EVERY === 0) points.push({ x: step, y: values['programs'] ?? NaN });
  return points;
}

const NO_VISITS: Visits = { visits: 0, metrics: 0, disordered: 0, polls: 0, failures: [] };

class Visitors {
  readonly #child = fork(join(process.cwd(), 'dist/tests/endurance/visits-process.js'));

  constructor(order: VisitsOrder) {
    this.#child.send(order);
  }

  async end(): Promise<Visits> {
    const said = once(this.#child, 'message') as Promise<[Visits]>;
    this.#child.send('end');
    return (await said)[0];
  }
}

function said(samples: readonly Sample[]): string {
  const { seconds, step, serving, training } = samples.at(-1) as Sample;
  const of = ({ residentBytes, threads, descriptors, cpuSeconds }: ProcessFigures): string =>
    `${(residentBytes / 2 ** 20).toFixed(0)} MB, ${threads} threads, ${descriptors} descriptors, ${cpuSeconds.toFixed(0)} s`;
  return `${seconds.toFixed(0)} s, step ${step}: serving ${of(serving)}; training ${of(training)}`;
}
