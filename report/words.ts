/** @file How figures are written: shares, differences in percentage points, counts. Numbers in, text out. */
import type { Interval } from '../foundation/index.js';

/** `6.6 % [4.2, 10.4]` */
export function percent(interval: Interval | undefined): string {
  if (!interval) return '–';
  const { estimate, low, high } = interval;
  return `${(100 * estimate).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
}

/** `−78.5 [−83.2, −72.2]`, in percentage points */
export function points(interval: Interval | undefined): string {
  if (!interval) return '–';
  const signed = (value: number): string => `${value >= 0 ? '+' : '−'}${Math.abs(100 * value).toFixed(1)}`;
  return `${signed(interval.estimate)} [${signed(interval.low)}, ${signed(interval.high)}]`;
}

/** `9.13 [8.20, 10.4]` */
export function number({ estimate, low, high }: Interval): string {
  return `${estimate.toPrecision(3)} [${low.toPrecision(3)}, ${high.toPrecision(3)}]`;
}

export function share(count: number | undefined, n: number | undefined): string {
  return count === undefined || !n ? '–' : `${((100 * count) / n).toFixed(1)} %`;
}

/** A count with its thousands apart. */
export function amount(count: number | undefined): string {
  return count === undefined || !Number.isFinite(count) ? '–' : Math.round(count).toLocaleString('en');
}

/** `1 h 02 min`, `3 min 20 s`, `4.2 s` */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  if (minutes < 60) return `${minutes} min ${rest} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
