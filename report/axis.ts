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
  /** Most steps between ticks. */
  readonly steps?: number;
}

/** From 0 (or the round number below the least value) to the round number above the greatest. */
export function axisOf(values: readonly number[], { from, to, share = false, steps = 5 }: AxisOptions): Axis {
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
