/** @file Where values lie along an axis, and which round ones are named. Numbers in, numbers out. */

export interface Axis {
  at(value: number): number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

export interface AxisOptions {
  /** Places on paper of the least and of the greatest value. */
  readonly from: number;
  readonly to: number;
  /** Values from 0 to 1, named as percentages. */
  readonly share?: boolean;
  /** Each step a factor: from the power of ten below the least positive value; others have no place. */
  readonly log?: boolean;
  /** Most steps between ticks. */
  readonly steps?: number;
}

/** From 0 (or the round number below the least value) to the round number above the greatest. */
export function axisOf(values: readonly number[], options: AxisOptions): Axis {
  const { from, to, share = false, steps = 5 } = options;
  if (options.log) return logAxis(values, from, to);
  const finite = values.filter(Number.isFinite);
  const least = share ? 0 : Math.min(0, ...finite);
  const most = share ? 1 : Math.max(...finite, least);
  const span = most - least || 1;
  const power = 10 ** Math.floor(Math.log10(span / steps));
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((each) => span / each <= steps + 1e-9) ?? 10 * power;
  const [first, last] = [Math.floor(least / step + 1e-9), Math.ceil((least + span) / step - 1e-9)];
  const at = (value: number): number => from + ((to - from) * (value / step - first)) / (last - first);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => {
    const value = Number(((first + index) * step).toPrecision(6));
    return { at: at(value), text: share ? `${Math.round(100 * value)} %` : short(value) };
  });
  return { at, ticks };
}

/** Whole decades; between them, where there are no more than two, the twos and fives are named, too. */
function logAxis(values: readonly number[], from: number, to: number): Axis {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const first = logs.length > 0 ? Math.floor(Math.min(...logs) + 1e-9) : 0;
  const last = Math.max(Math.ceil(Math.max(...logs, first) - 1e-9), first + 1);
  const at = (value: number): number => from + ((to - from) * (Math.log10(value) - first)) / (last - first);
  const factors = last - first > 2 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: last - first }, (_, decade) =>
    factors.map((factor) => factor * 10 ** (first + decade)),
  );
  return { at, ticks: [...ticks.flat(), 10 ** last].map((value) => ({ at: at(value), text: short(value) })) };
}

/** A number in few characters: 12000 is 12k. */
export function short(value: number): string {
  const size = Math.abs(value);
  const [divisor, unit] = (
    [
      [1e12, 'T'],
      [1e9, 'G'],
      [1e6, 'M'],
      [1e4, 'k'],
    ] as const
  ).find(([from]) => size >= from) ?? [1, ''];
  const scaled = value / (unit === 'k' ? 1000 : divisor);
  return `${Number(scaled.toPrecision(4))}${unit}`;
}
