/** @file How fast events pass through chains of `streams/`, and what the chain of a run adds to a step. */
import { drain, drainAll, pull, rollingMean, serial, share, tap, type Flow } from '../streams/index.js';
import { table } from './report.js';
import { median, seconds } from './timing.js';

const REPEATS = 5;

export interface StreamResult {
  readonly events: number;
  /** Events a second and microseconds an event, by chain. */
  readonly chains: Readonly<
    Record<string, { readonly events_per_second: number; readonly microseconds: number }>
  >;
}

const nothing = (): void => undefined;
const pass = async (value: number): Promise<number> => value;

function* numbers(count: number): Generator<number> {
  for (let at = 0; at < count; at++) yield at;
}

/** Chains that do nothing; the last is that of a run, whose events are steps. */
const CHAINS: Readonly<Record<string, (source: Flow<number>) => Promise<void>>> = {
  pull: (source) => drain(source),
  'pull, tap': (source) => drain(source.through(tap(nothing))),
  'pull, rollingMean': (source) => drain(source.through(rollingMean(16))),
  'pull, serial': (source) => drain(source.through(serial(pass))),
  'pull, share to 2': (source) => {
    const shared = source.through(share());
    return drainAll([shared.through(serial(pass)), shared.through(tap(nothing))]);
  },
  "a run's: pull, 4 serial, tap": (source) =>
    drain(source.through(serial(pass), serial(pass)).through(serial(pass), serial(pass), tap(nothing))),
};

export async function timeStreams(events: number): Promise<StreamResult> {
  const chains: Record<string, { events_per_second: number; microseconds: number }> = {};
  for (const [name, chain] of Object.entries(CHAINS)) {
    await chain(pull(numbers(events)));
    const times: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++)
      times.push(await seconds(() => chain(pull(numbers(events)))));
    const took = median(times);
    chains[name] = { events_per_second: Math.round(events / took), microseconds: (1e6 * took) / events };
  }
  return { events, chains };
}

export function describeStreams({ events, chains }: StreamResult): string {
  const rows = Object.entries(chains).map(([name, { events_per_second: rate, microseconds }]) => [
    name,
    rate,
    microseconds.toFixed(2),
  ]);
  return table([[`${events} events`, 'events/s', 'µs an event'], ...rows]);
}
