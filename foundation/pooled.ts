/** @file A mean over several seeds with an interval that resamples seeds and requests. Numbers in, numbers out. */
import { draws } from './random.js';
import type { Interval } from './statistics.js';

export interface PooledOptions {
  /** True where all seeds met the same requests in the same order: then these are drawn once for all seeds, else for each. */
  readonly shared: boolean;
  readonly seed: number;
  readonly resamples?: number;
}

/**
 * The mean over seeds of means over requests, with its 95 % interval by the percentile bootstrap: every resample draws seeds,
 * then requests. With one seed it is the bootstrap over requests; where nothing varies, the interval is a point.
 * @param values by seed and request. [seeds][requests]
 */
export function pooledBootstrap(
  values: readonly ArrayLike<number>[],
  { shared, seed, resamples = 2000 }: PooledOptions,
): Interval {
  const count = values.length;
  if (count === 0 || values.some(({ length }) => length === 0)) return { estimate: 0, low: -1, high: 1 };
  // As `pairedBootstrap` draws, so that one seed gives its interval.
  const requests = draws(seed, 'paired-bootstrap', values[0]?.length ?? 0, resamples);
  const seeds = draws(seed, 'pooled-bootstrap', count, resamples);
  const drawn = (length: number): number[] => Array.from({ length }, () => requests.integer(length));
  const means = Float64Array.from({ length: resamples }, () => {
    let [sum, same]: [number, number[] | undefined] = [0, undefined];
    for (let place = 0; place < count; place++) {
      const one = values[seeds.integer(count)] as ArrayLike<number>;
      same = shared && same ? same : drawn(one.length);
      sum += same.reduce((total, at) => total + (one[at] as number), 0) / one.length;
    }
    return sum / count;
  }).sort();
  const estimate = values.reduce((total, one) => total + meanOf(one), 0) / count;
  const at = (share: number): number => means[Math.round(share * (resamples - 1))] ?? 0;
  // Rounding must not move the ends past the estimate.
  return { estimate, low: Math.min(estimate, at(0.025)), high: Math.max(estimate, at(0.975)) };
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at] as number;
  return sum / values.length;
}
