/** @file Trials as tables for people, and what in them is wrong whatever the machine. */
import { table } from '../../bench/report.js';
import type { Act } from './hostile.js';
import type { FanOutOptions, FanOutResult } from './fan-out.js';
import type { SoakResult } from './soak.js';

export function describeSoak({ state, steps, visits, samples, trends }: SoakResult): string {
  const rows = Object.entries(trends).map(([name, { level, slope, error, growth, isFlat, peaks }]) => [
    name,
    level.toFixed(1),
    `${slope.toFixed(3)} ± ${error.toFixed(3)}`,
    `${(100 * growth).toFixed(2)} %`,
    peaks.map((peak) => peak.toFixed(0)).join(' '),
    isFlat ? 'flat' : 'NOT FLAT',
  ]);
  return [
    `${state} after ${steps} steps, ${(samples.at(-1)?.seconds ?? 0).toFixed(0)} s; ${visits.visits} visits, ` +
      `${visits.metrics} metrics seen, ${visits.disordered} out of order, ${visits.polls} polls, ${visits.failures.length} failed`,
    table([['second half', 'mean', 'by 1000 steps', 'over the half', 'peaks of quarters', ''], ...rows]),
  ].join('\n');
}

export function describeFanOut({ windows, peak, waiting, viewers, crowd, right }: FanOutResult): string {
  const rows = Object.entries(windows).map(([name, window]) => [
    name,
    window.seconds.toFixed(0),
    window.steps,
    window.stepsPerSecond.toFixed(1),
    window.training.toFixed(1),
    window.serving.toFixed(2),
    `${(100 * window.share).toFixed(1)} %`,
    window.memory.level.toFixed(0),
  ]);
  const acts = Object.entries(crowd.hostile).map(([act, { refused = 0, served = 0, failed = 0 }]) => [
    act,
    refused,
    served,
    failed,
  ]);
  const head = ['', 's', 'steps', 'steps/s', 'training, ms/step', 'serving, ms/step', 'share', 'serving, MB'];
  const { honest, stalled } = crowd;
  const dropped =
    viewers === null ? [] : [`${viewers} viewers left when those that stalled had been dropped`];
  return [
    table([head, ...rows]),
    `serving process: ${peak.toFixed(0)} MB at most; at most ${(waiting / 1024).toFixed(0)} KiB waited for viewers`,
    `${right.honest} honest viewers end with the record's last values; ${honest.received} metrics received, ${honest.disordered} out of order`,
    `${right.stalled} of those that stalled do; ${stalled.received} metrics received`,
    ...dropped,
    table([['hostile acts', 'refused', 'served', 'failed'], ...acts]),
  ].join('\n');
}

/** What must not be. Figures are not judged here. */
export function wrongIn(
  { crowd, right, errors }: FanOutResult,
  { honest, stalled, drop }: FanOutOptions,
): string[] {
  const served = (Object.keys(crowd.hostile) as Act[]).filter((act) => crowd.hostile[act]?.served);
  const disordered = crowd.honest.disordered + crowd.stalled.disordered;
  return [
    ...errors,
    ...(right.honest === honest ? [] : [`${honest - right.honest} honest viewers end with other values`]),
    ...(drop || right.stalled === stalled ? [] : [`${stalled - right.stalled} stalled viewers do`]),
    ...(disordered === 0 ? [] : [`${disordered} metrics out of order`]),
    ...served.map((act) => `served: ${act}`),
  ];
}
