/** @file A mean over several seeds with an interval that resamples seeds and requests. Numbers in, numbers out. */
import { draws } from './random.js';
import type { Interval } from './statistics.js';

const RESAMPLES = 2000;

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
export function pooledBootstrap(values: readonly ArrayLike<number>[], options: PooledOptions): Interval {
  const { shared, resamples = RESAMPLES } = options;
  const count = values.length;
  if (count === 0 || values.some(({ length }) => length === 0)) return { estimate: 0, low: -1, high: 1 };
  const { seeds, requests } = drawingOf(
    values.map(({ length }) => length),
    options,
  );
  let next = 0;
  const means = Float64Array.from({ length: resamples }, (_, resample) => {
    let [sum, begin, end] = [0, 0, 0];
    for (let place = 0; place < count; place++) {
      const one = values[seeds[resample * count + place] as number] as ArrayLike<number>;
      if (!shared || place === 0) [begin, end] = [next, (next += one.length)];
      let total = 0;
      for (let at = begin; at < end; at++) total += one[requests[at] as number] as number;
      sum += total / one.length;
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

/** What is drawn for one interval: it depends on how many values there are, and on none of them. */
interface Drawing {
  /** One for each place of each resample. */
  readonly seeds: Uint32Array;
  /** As many as the drawn seed has, for each place, or for the first alone where they are shared. */
  readonly requests: Uint32Array;
}

/** Tables have hundreds of intervals of a few shapes, and drawing takes nearly all of their time. Oldest first. */
const kept = new Map<string, Drawing>();
const MOST_KEPT = 8;

function drawingOf(
  lengths: readonly number[],
  { shared, seed, resamples = RESAMPLES }: PooledOptions,
): Drawing {
  const key = JSON.stringify([lengths, shared, seed, resamples]);
  const known = kept.get(key);
  if (known) return known;
  const [count, of] = [lengths.length, draws(seed, 'pooled-bootstrap', lengths.length, resamples)];
  const seeds = Uint32Array.from({ length: resamples * count }, () => of.integer(count));
  // As `pairedBootstrap` draws, so that one seed gives its interval.
  const from = draws(seed, 'paired-bootstrap', lengths[0] ?? 0, resamples);
  const drawn = shared ? seeds.filter((_, at) => at % count === 0) : seeds;
  const requests = new Uint32Array(drawn.reduce((sum, at) => sum + (lengths[at] as number), 0));
  let next = 0;
  for (const at of drawn)
    for (let request = 0; request < (lengths[at] as number); request++)
      requests[next++] = from.integer(lengths[at] as number);
  const [oldest] = kept.size < MOST_KEPT ? [] : kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
  const drawing = { seeds, requests };
  kept.set(key, drawing);
  return drawing;
}
