/** @file The cells of a grid: every combination of its axes, some that go together, or a sample. Plain data in and out. */
import { complain, draws } from '../foundation/index.js';
import type { Axis } from './axis.js';
import { refuseGrid } from './refuse.js';
import { valueText, type Json } from './values.js';

/** What one axis is in a cell. */
export interface Setting {
  readonly name: string;
  readonly value: Json;
}

/** One setting for each axis, in their order. */
export type Cell = readonly Setting[];

export interface CellOptions {
  /** Groups of names of axes that go together, first with first, second with second: each counts as one axis. */
  readonly zip: readonly (readonly string[])[];
  /** Takes so many of all combinations, drawn by the seed; more of them begin with the same. */
  readonly random?: { readonly count: number; readonly seed: number } | undefined;
  readonly most: number;
}

/** @throws SWEEP_GRID where axes that go together do not; SWEEP_CELLS where there are too many */
export function cellsOf(axes: readonly Axis[], { zip, random, most }: CellOptions): Cell[] {
  const dimensions = dimensionsOf(axes, zip);
  const total = dimensions.reduce((product, [first]) => product * (first?.values.length ?? 1), 1);
  const count = Math.min(random?.count ?? total, total);
  if (count > most || total > Number.MAX_SAFE_INTEGER) refuseMany(axes, count, most);
  const places = random && count < total ? sample(total, count, random.seed) : undefined;
  const order = axes.map(({ name }) => name);
  return Array.from({ length: count }, (_, at) =>
    cellAt(dimensions, places?.[at] ?? at).sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
  );
}

/** `epsilon=0.5 seed=1` */
export function cellText(cell: Cell): string {
  return cell.map(({ name, value }) => `${name}=${valueText(value)}`).join(' ');
}

function dimensionsOf(axes: readonly Axis[], zip: CellOptions['zip']): (readonly Axis[])[] {
  const groups = zip.map((names) => names.map((name) => axisNamed(name, axes, names)));
  const joined = groups.flat();
  const twice = joined.find((axis, at) => joined.indexOf(axis) !== at);
  if (twice) refuseZip([twice.name], 'each axis in one group', `${twice.name} twice`);
  for (const group of groups) {
    const lengths = new Set(group.map(({ values }) => values.length));
    if (lengths.size > 1)
      refuseZip(
        group.map(({ name }) => name),
        'axes with as many values each',
        group.map(({ values }) => values.length).join(' and '),
      );
  }
  // A group stands where its first axis does.
  return axes.flatMap((axis) => {
    const group = groups.find((each) => each.includes(axis));
    return group ? (group[0] === axis ? [group] : []) : [[axis]];
  });
}

function axisNamed(name: string, axes: readonly Axis[], names: readonly string[]): Axis {
  const known = axes.map((axis) => axis.name).join(', ');
  return axes.find((axis) => axis.name === name) ?? refuseZip(names, `names of axes (${known})`, name);
}

/** The last axis changes fastest. */
function cellAt(dimensions: readonly (readonly Axis[])[], place: number): Setting[] {
  let rest = place;
  return dimensions.toReversed().flatMap((group) => {
    const size = group[0]?.values.length ?? 1;
    const at = rest % size;
    rest = Math.floor(rest / size);
    return group.map(({ name, values }) => ({ name, value: values[at] as Json }));
  });
}

/** Distinct numbers below `total`: a shuffle that only holds what it has moved. */
function sample(total: number, count: number, seed: number): number[] {
  const draw = draws(seed, 'sweep-cells', total);
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, at) => {
    const pick = at + draw.integer(total - at);
    const drawn = moved.get(pick) ?? pick;
    moved.set(pick, moved.get(at) ?? at);
    return drawn;
  });
}

function refuseZip(names: readonly string[], expected: string, got: string): never {
  return refuseGrid(`(--zip ${names.join(',')})`, expected, got, 'correct --zip');
}

function refuseMany(axes: readonly Axis[], count: number, most: number): never {
  return complain({
    code: 'SWEEP_CELLS',
    owner: 'sweep',
    expected: `at most ${most} runs`,
    got: `${count} (${axes.map(({ name, values }) => `${values.length} of ${name}`).join(' × ')})`,
    hint: `allow them by --cells ${count}, or take a sample by --random N`,
  });
}
