/** @file Figures for Prometheus: runs by state, the speed of those that run, and memory. Looked at when asked for. */
import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RunView } from './protocol.js';
import type { Queue } from './queue.js';
import { RUN_STATES } from './transitions.js';

/** In bytes, on every machine that latstream was seen on. */
const PAGE = 4096;

/** A registry of its own for each daemon. */
export function figuresOf(queue: Queue): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    collect: (to: Gauge, runs: readonly RunView[]) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const runs = await queue.all();
        this.reset();
        collect(this, runs);
      },
    });
  };
  gauge('latstream_runs', 'Runs by state', ['state'], (to, runs) => {
    for (const state of RUN_STATES) to.set({ state }, runs.filter((run) => run.state === state).length);
  });
  gauge('latstream_run_deaths', 'Deaths of processes of runs since the daemon started', [], (to) =>
    to.set(queue.deaths),
  );
  const each = (name: string, help: string, value: (run: RunView) => number | null | undefined): void =>
    gauge(name, help, ['run', 'name'], (to, runs) => {
      for (const run of runs) {
        const found = value(run) ?? null;
        if (found !== null) to.set({ run: run.id, name: run.name }, found);
      }
    });
  each('latstream_run_step', 'Last step of a running run', ({ live }) => live?.progress?.step);
  each(
    'latstream_run_steps_per_second',
    'Steps a second of a running run',
    ({ live }) => live?.progress?.stepsPerSecond,
  );
  each(
    'latstream_run_resident_bytes',
    "Memory of a run's process on this machine, where the system tells it",
    ({ live }) => residentBytes(live?.pid ?? null),
  );
  return registry;
}

/** Linux only. */
function residentBytes(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    return PAGE * Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  } catch {
    return null;
  }
}
