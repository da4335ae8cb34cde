/** @file The runs of a daemon as a table that fits: one line each, those around the chosen one where there are many. */
import type { RunView } from '../daemon/index.js';
import { line, type Line, type Size } from './line.js';
import { bar } from './sparkline.js';
import { duration, figure, harmless, padded } from './text.js';

/** Of the screen's height. */
const SHARE = 0.4;
const LEAST_ROWS = 4;
const BAR = 12;

export function runTable(runs: readonly RunView[], chosen: string | null, { columns, rows }: Size): Line[] {
  if (runs.length === 0) return [];
  const room = Math.max(LEAST_ROWS, Math.floor(rows * SHARE) - 2);
  const at = Math.max(
    0,
    runs.findIndex(({ id }) => id === chosen),
  );
  const first = Math.max(0, Math.min(at - Math.floor(room / 2), runs.length - room));
  const shown = runs.slice(first, first + room);
  const longest = Math.max(...shown.map(({ name }) => name.length));
  const name = Math.max(4, Math.min(longest, Math.floor(columns / 4)));
  const hidden = runs.length - shown.length;
  return [
    line(`${runs.length} runs${hidden > 0 ? `, ${hidden} of them not shown` : ''}`, 'heading'),
    ...shown.map((run) => line(rowOf(run, run.id === chosen, name), styleOf(run, run.id === chosen))),
    line(''),
  ];
}

function styleOf({ state }: RunView, isChosen: boolean): Line['style'] {
  if (isChosen) return 'chosen';
  return state === 'failed' ? 'trouble' : 'plain';
}

function rowOf(run: RunView, isChosen: boolean, name: number): string {
  const { id, state, goal, live, reason } = run;
  const place = goal === null ? state : `${state}→${goal}`;
  const known = live?.progress;
  const facts = known
    ? `${bar(known.step / known.steps, BAR)} ${known.part} ${known.step}/${known.steps}${speed(known)}`
    : (reason ?? '');
  const mark = isChosen ? '›' : ' ';
  return `${mark} ${id} ${padded(harmless(run.name), name)} ${padded(place, 9)} ${facts}`;
}

function speed({
  step,
  steps,
  stepsPerSecond,
}: NonNullable<NonNullable<RunView['live']>['progress']>): string {
  if (stepsPerSecond === null || stepsPerSecond <= 0) return '';
  return `  ${figure(stepsPerSecond)}/s  ${duration(Math.max(0, steps - step) / stepsPerSecond)} left`;
}
