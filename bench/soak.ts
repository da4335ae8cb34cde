/** @file Many steps in a row: does resident memory grow? */
import { linearFit, type Point } from './linear-fit.js';
import type { Shapes } from './shapes.js';
import { workload } from './step.js';
import { peakMegabytes } from './timing.js';

const SAMPLES = 400;

export interface SoakResult {
  readonly steps: number;
  /** Resident memory after a step, in MB (2^20 bytes), sampled evenly. */
  readonly samples: readonly { readonly step: number; readonly rss_mb: number }[];
  /** MB per 1000 steps over the second half, by least squares, with its standard error. */
  readonly slope: number;
  readonly slope_error: number;
  readonly peak_rss_mb: number;
}

/** Runs so many steps, each on new rows. */
export async function soak(shapes: Shapes, steps: number): Promise<SoakResult> {
  const work = workload(shapes, { fresh: true });
  const every = Math.max(1, Math.floor(steps / SAMPLES));
  const samples: { step: number; rss_mb: number }[] = [];
  for (let step = 1; step <= steps; step++) {
    await work.step();
    if (step % every === 0) samples.push({ step, rss_mb: process.memoryUsage.rss() / 2 ** 20 });
  }
  await work.dispose();
  const { slope, slope_error } = growth(samples.map(({ step, rss_mb }) => ({ x: step, y: rss_mb })));
  return { steps, samples, slope, slope_error, peak_rss_mb: peakMegabytes() };
}

/** Per 1000 steps, over the second half of the samples; NaN where there are too few. */
export function growth(samples: readonly Point[]): { readonly slope: number; readonly slope_error: number } {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < 2) return { slope: NaN, slope_error: NaN };
  const { slope, slope_error } = linearFit(half);
  return { slope: 1000 * slope, slope_error: 1000 * slope_error };
}

export function describeSoak({ steps, samples, slope, slope_error, peak_rss_mb }: SoakResult): string {
  const last = samples.at(-1)?.rss_mb ?? NaN;
  return (
    `${steps} steps: ${slope.toFixed(2)} ± ${slope_error.toFixed(2)} MB per 1000 steps over the second half, ` +
    `${last.toFixed(0)} MB at the end, ${peak_rss_mb} MB peak`
  );
}
