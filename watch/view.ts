/** @file What is known of what is watched, for drawing: bounded, however long is looked on. No I/O. */
import type { RunView } from '../daemon/index.js';
import type { Metric } from '../streams/index.js';
import type { WatchEvent } from './event.js';

/** The newest values of a series, thinned out evenly behind them. */
export interface Course {
  readonly values: number[];
  /** Of what is kept, every so many. */
  stride: number;
  seen: number;
  newest: number;
}

/** One arm: by kind and name, as in `attack/loss`. */
export interface ArmView {
  readonly courses: Map<string, Course>;
  /** The newest step of each kind. */
  readonly steps: Map<string, number>;
}

export interface View {
  run: string;
  from: string;
  state: string;
  detail: string;
  /** Why nothing comes; empty while it does. */
  broken: string;
  /** What came of the last key. */
  note: string;
  runs: readonly RunView[] | undefined;
  chosen: string | null;
  arms: Map<string, ArmView>;
  /** The one that was heard of last. */
  arm: string;
}

/** Values kept of a series; when there are twice as many, every other one goes. */
const KEPT = 256;
/** A run has few arms, and few things are measured of each. */
const MOST_ARMS = 64;
const MOST_COURSES = 512;

export function emptyView(): View {
  return {
    ...{ run: '', from: '', state: '', detail: '', broken: '', note: '', arm: '' },
    ...{ runs: undefined, chosen: null, arms: new Map<string, ArmView>() },
  };
}

/** Takes an event in. */
export function see(view: View, event: WatchEvent): void {
  const { runs, chosen } = view;
  switch (event.type) {
    case 'run':
      Object.assign(view, emptyView(), { run: event.run, from: event.from });
      Object.assign(view, { runs, chosen });
      return;
    case 'state':
      if (event.run === view.run) Object.assign(view, { state: event.state, detail: event.detail ?? '' });
      return;
    case 'runs':
      Object.assign(view, { runs: event.runs, chosen: event.chosen });
      return;
    case 'link':
      view.broken = event.up ? '' : event.detail;
      return;
    case 'metric':
      measure(view, event);
      return;
    case 'progress':
      return; // the table has it
    default:
      event satisfies never;
  }
}

function measure(view: View, { run, kind, step, values }: Metric): void {
  view.arm = run;
  const arm = view.arms.get(run) ?? newArm();
  view.arms.set(run, arm);
  const [oldest] = view.arms.keys();
  if (view.arms.size > MOST_ARMS && oldest !== undefined) view.arms.delete(oldest);
  arm.steps.set(kind, step);
  for (const [name, value] of Object.entries(values)) {
    const key = `${kind}/${name}`;
    const known = arm.courses.get(key);
    if (!known && arm.courses.size >= MOST_COURSES) continue;
    const course = known ?? { values: [], stride: 1, seen: 0, newest: value };
    arm.courses.set(key, course);
    add(course, value);
  }
}

function newArm(): ArmView {
  return { courses: new Map(), steps: new Map() };
}

function add(course: Course, value: number): void {
  course.newest = value;
  if (course.seen % course.stride === 0) course.values.push(value);
  course.seen += 1;
  if (course.values.length < 2 * KEPT) return;
  const kept = course.values.filter((_, at) => at % 2 === 0);
  course.values.splice(0, course.values.length, ...kept);
  course.stride *= 2;
}
