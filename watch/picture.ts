/** @file What is watched as lines of a terminal, within its size. A pure function. */
import { line, type Line, type Size } from './line.js';
import { runTable } from './run-table.js';
import { bar, sparkline } from './sparkline.js';
import { clipped, duration, figure, harmless, padded } from './text.js';
import type { ArmView, Course, View } from './view.js';

const LABEL = 26;
const VALUE = 13;
const LONGEST_BAR = 40;

/** @returns at most `rows` lines of at most `columns` columns, without control characters */
export function picture(view: View, keys: string, size: Size): Line[] {
  const table = view.runs === undefined ? [] : runTable(view.runs, view.chosen, size);
  const foot = [
    ...(view.broken === '' ? [] : [line(`not reached: ${view.broken}; trying again`, 'trouble')]),
    line([keys, view.note].filter((each) => each !== '').join('  ·  '), 'faint'),
  ];
  const whole = [...table, ...head(view, size.columns), ...body(view, size.columns)];
  const room = Math.max(0, size.rows - foot.length);
  return [...whole.slice(0, room), ...foot]
    .slice(0, Math.max(0, size.rows))
    .map(({ text, style }) => ({ style, text: clipped(harmless(text), size.columns) }));
}

function head(view: View, columns: number): Line[] {
  if (view.run === '') return [line(view.runs ? 'no runs yet: latstream submit RECIPE' : 'nothing yet')];
  const title = [view.run, view.state, view.arm].filter((each) => each !== '').join(' · ');
  const why = view.detail === '' ? [] : [line(view.detail, view.state === 'failed' ? 'trouble' : 'faint')];
  return [line(title, 'title'), line(view.from, 'faint'), ...why, ...progress(view, columns)];
}

function progress(view: View, columns: number): Line[] {
  const arm = view.arms.get(view.arm);
  const [step, steps] = [newest(arm, 'progress/step'), newest(arm, 'progress/steps')];
  if (!arm || step === undefined || steps === undefined || steps <= 0) return [];
  const left = newest(arm, 'progress/secondsLeft');
  const rate = newest(arm, 'throughput/secondsPerStep');
  const facts = [
    `${step}/${steps}`,
    ...(rate !== undefined && rate > 0 ? [`${figure(1 / rate)} steps/s`] : []),
    ...(left !== undefined ? [`${duration(Math.max(0, left))} left`] : []),
  ];
  const width = Math.max(0, Math.min(LONGEST_BAR, columns - LABEL - VALUE));
  return [line(`${bar(step / steps, width)} ${facts.join('  ')}`.trim())];
}

function newest(arm: ArmView | undefined, key: string): number | undefined {
  return arm?.courses.get(key)?.newest;
}

/** Losses, success, norms and rate of the arm that was heard of last. */
function body(view: View, columns: number): Line[] {
  const arm = view.arms.get(view.arm);
  if (!arm) return [];
  const { steps } = arm;
  return [
    ...part(`attack${at(steps.get('attack'))}`, attackRows(arm), columns),
    ...part(`norms, of ε ${figure(newest(arm, 'attack/epsilon') ?? Number.NaN)}`, normRows(arm), columns),
    ...part(`defence${at(steps.get('defend'))}`, rowsOf(arm, 'defend/'), columns),
    ...part(`attack success${at(steps.get('evaluate'))}`, successRows(arm), columns),
    ...part('speed', speedRows(arm), columns),
    ...(steps.has('checkpoint') ? [line(`last checkpoint: step ${steps.get('checkpoint')}`, 'faint')] : []),
  ];
}

function at(step: number | undefined): string {
  return step === undefined ? '' : `, step ${step}`;
}

interface Row {
  readonly label: string;
  readonly value: string;
  readonly course: Course;
}

function part(heading: string, rows: readonly Row[], columns: number): Line[] {
  if (rows.length === 0) return [];
  const [label, value] = columns < LABEL + VALUE + 8 ? [Math.floor(columns / 2), 9] : [LABEL, VALUE];
  const width = Math.min(columns - label - value - 3, 120);
  return [
    line(heading, 'heading'),
    ...rows.map((row) =>
      line(
        `${padded(harmless(`  ${row.label}`), label)} ${padded(row.value, value, 'left')}  ${sparkline(row.course.values, width)}`.trimEnd(),
      ),
    ),
  ];
}

/** Names behind a prefix, as they were measured. */
function rowsOf(
  { courses }: ArmView,
  prefix: string,
  value: (newest: number) => string = figure,
  wanted: (name: string) => boolean = () => true,
): Row[] {
  return [...courses]
    .filter(([key]) => key.startsWith(prefix) && wanted(key.slice(prefix.length)))
    .map(([key, course]) => ({
      label: words(key.slice(prefix.length)),
      value: value(course.newest),
      course,
    }));
}

function attackRows(arm: ArmView): Row[] {
  return rowsOf(arm, 'attack/', figure, (name) => name !== 'epsilon' && !name.includes('/'));
}

/** The largest of each site; where ε bounds something else than the activations, that stands under `bounded/`. */
function normRows(arm: ArmView): Row[] {
  const epsilon = newest(arm, 'attack/epsilon');
  const ofEpsilon = (norm: number): string =>
    epsilon === undefined || epsilon === 0
      ? figure(norm)
      : `${figure(norm)} ${((100 * norm) / epsilon).toFixed(0)} %`;
  const bounded = rowsOf(arm, 'attack/bounded/', ofEpsilon);
  return bounded.length > 0 ? bounded : rowsOf(arm, 'attack/norm/', ofEpsilon);
}

function successRows(arm: ArmView): Row[] {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return rowsOf(arm, 'evaluate/', percent, (name) => /(Comply|Accuracy)$/.test(name));
}

function speedRows(arm: ArmView): Row[] {
  const kept = new Set(['tokensPerSecond', 'secondsPerStep', 'residentMegabytes']);
  return rowsOf(arm, 'throughput/', figure, (name) => kept.has(name));
}

/** `gradientNorm` → `gradient norm`. */
function words(name: string): string {
  return name.replace(
    /([a-z\d])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  );
}
