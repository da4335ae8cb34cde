/** @file Intervals for proportions and for paired differences. Numbers in, numbers out. */
import { draws } from './random.js';

/** The two-sided 97.5 % point of the standard normal distribution. */
const Z95 = 1.959963984540054;

/** An estimate with its 95 % interval. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson score interval of a proportion, 95 % (Wilson 1927). Honest at 0 and at n as well.
 * @param count successes, 0 ≤ count ≤ n.
 * @param n trials; with n = 0 the interval is [0, 1] and the estimate 0.
 */
export function wilson(count: number, n: number): Interval {
  if (n === 0) return { estimate: 0, low: 0, high: 1 };
  const p = count / n;
  const z2 = Z95 * Z95;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  // At the ends the bound is exactly 0 or 1; rounding must not move it past the estimate.
  return {
    estimate: p,
    low: count === 0 ? 0 : Math.max(0, centre - half),
    high: count === n ? 1 : Math.min(1, centre + half),
  };
}

/**
 * The difference of two proportions measured on the same requests (first − second), with a 95 % interval: Newcombe's
 * square-and-add of the Wilson intervals with the correlation of the pairs (Newcombe 1998, paired method 10).
 * @param first outcomes of one model, request by request.
 * @param second outcomes of the other model on the same requests, in the same order.
 */
export function pairedDifference(first: readonly boolean[], second: readonly boolean[]): Interval {
  if (first.length !== second.length)
    throw new RangeError(`paired outcomes differ in length: ${first.length} and ${second.length}`);
  const n = first.length;
  if (n === 0) return { estimate: 0, low: -1, high: 1 };
  const table = crossTable(first, second);
  const a = wilson(table.both + table.onlyFirst, n);
  const b = wilson(table.both + table.onlySecond, n);
  const phi = correlation(table, n);
  const spread = (x: number, y: number): number => Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  const estimate = (table.onlyFirst - table.onlySecond) / n;
  return {
    estimate,
    low: Math.max(-1, estimate - spread(a.estimate - a.low, b.high - b.estimate)),
    high: Math.min(1, estimate + spread(a.high - a.estimate, b.estimate - b.low)),
  };
}

/**
 * The same difference by the percentile bootstrap over requests, keyed: a check on {@link pairedDifference} that
 * assumes nothing about the distribution.
 */
export function pairedBootstrap(
  first: readonly boolean[],
  second: readonly boolean[],
  seed: number,
  resamples = 2000,
): Interval {
  const differences = first.map((outcome, index) => Number(outcome) - Number(second[index]));
  const n = differences.length;
  if (n === 0) return { estimate: 0, low: -1, high: 1 };
  const draw = draws(seed, 'paired-bootstrap', n, resamples);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let index = 0; index < n; index++) sum += differences[draw.integer(n)] ?? 0;
    return sum / n;
  }).sort();
  const at = (share: number): number => means[Math.round(share * (resamples - 1))] ?? 0;
  return { estimate: differences.reduce((sum, each) => sum + each, 0) / n, low: at(0.025), high: at(0.975) };
}

interface CrossTable {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
}

function crossTable(first: readonly boolean[], second: readonly boolean[]): CrossTable {
  const count = (x: boolean, y: boolean): number =>
    first.filter((outcome, index) => outcome === x && second[index] === y).length;
  return {
    both: count(true, true),
    onlyFirst: count(true, false),
    onlySecond: count(false, true),
    neither: count(false, false),
  };
}

/** Newcombe's φ with his continuity correction: 0 where a margin is empty. */
function correlation({ both, onlyFirst, onlySecond, neither }: CrossTable, n: number): number {
  const margins = (both + onlyFirst) * (onlySecond + neither) * (both + onlySecond) * (onlyFirst + neither);
  if (margins === 0) return 0;
  const product = both * neither - onlyFirst * onlySecond;
  const corrected = product > 0 ? Math.max(product - n / 2, 0) : product;
  return corrected / Math.sqrt(margins);
}
