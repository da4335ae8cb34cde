/** @file Figures for Prometheus: runs by state, the speed of those that run, and memory. Looked at when asked for. */
import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Supervisor } from './supervisor.js';
import { RUN_STATES } from './transitions.js';

/** In bytes, on every machine that latstream was seen on. */
const PAGE = 4096;

/** A registry of its own for each daemon. */
export function figuresOf(supervisor: Supervisor): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: string[], collect: (to: Gauge) => void): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        collect(this);
      },
    });
  };
  gauge('latstream_runs', 'Runs by state', ['state'], (to) => {
    const runs = supervisor.all();
    for (const state of RUN_STATES) to.set({ state }, runs.filter((run) => run.state === state).length);
  });
  gauge('latstream_run_deaths', 'Deaths of processes of runs since the daemon started', [], (to) =>
    to.set(supervisor.deaths),
  );
  const each = (name: string, help: string, value: (id: string) => number | null): void =>
    gauge(name, help, ['run', 'name'], (to) => {
      for (const { id, name: label } of supervisor.all()) {
        const found = value(id);
        if (found !== null) to.set({ run: id, name: label }, found);
      }
    });
  each(
    'latstream_run_step',
    'Last step of a running run',
    (id) => supervisor.live(id)?.progress?.step ?? null,
  );
  each(
    'latstream_run_steps_per_second',
    'Steps a second of a running run',
    (id) => supervisor.live(id)?.progress?.stepsPerSecond ?? null,
  );
  each('latstream_run_resident_bytes', "Memory of a run's process, where the system tells it", (id) =>
    residentBytes(supervisor.live(id)?.pid ?? null),
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
