/** @file Many steps in a row: does resident memory grow? */
import { liveTensors, type Executor } from '../engine/index.js';
import { deviceMegabytes } from './nvidia.js';
import { linearFit, type Point } from './linear-fit.js';
import type { Shapes } from './shapes.js';
import { workload } from './step.js';
import { peakMegabytes } from './timing.js';

const SAMPLES = 400;

/** What there was after a step; sampled evenly. */
export interface SoakSample {
  readonly step: number;
  /** Resident memory, in MB (2^20 bytes). */
  readonly rss_mb: number;
  /** Tensors of tfjs that were alive. */
  readonly tensors: number;
  /** What is in use of NVIDIA's device, by whomever. */
  readonly device_mb?: number;
}

export interface SoakResult {
  readonly steps: number;
  /** The executor's own name. */
  readonly on: string;
  readonly samples: readonly SoakSample[];
  /** MB per 1000 steps over the second half, by least squares, with its standard error. */
  readonly slope: number;
  readonly slope_error: number;
  readonly peak_rss_mb: number;
}

/** Runs so many steps, each on new rows. */
export async function soak(
  shapes: Shapes,
  steps: number,
  executor: Executor,
  device?: number,
): Promise<SoakResult> {
  const work = workload(shapes, { executor, fresh: true });
  const every = Math.max(1, Math.floor(steps / SAMPLES));
  const samples: SoakSample[] = [];
  for (let step = 1; step <= steps; step++) {
    await work.step();
    if (step % every === 0) samples.push(sample(step, device));
  }
  await work.dispose();
  const { slope, slope_error } = growth(samples.map(({ step, rss_mb }) => ({ x: step, y: rss_mb })));
  return { steps, on: executor.name, samples, slope, slope_error, peak_rss_mb: peakMegabytes() };
}

function sample(step: number, device: number | undefined): SoakSample {
  const onDevice = device === undefined ? undefined : deviceMegabytes(device);
  return {
    step,
    rss_mb: process.memoryUsage.rss() / 2 ** 20,
    tensors: liveTensors(),
    ...(onDevice !== undefined && { device_mb: onDevice }),
  };
}

/** Per 1000 steps, over the second half of the samples; NaN where there are too few. */
export function growth(samples: readonly Point[]): { readonly slope: number; readonly slope_error: number } {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < 2) return { slope: NaN, slope_error: NaN };
  const { slope, slope_error } = linearFit(half);
  return { slope: 1000 * slope, slope_error: 1000 * slope_error };
}

export function describeSoak(result: SoakResult): string {
  const { steps, on, samples, slope, slope_error, peak_rss_mb } = result;
  const last = samples.at(-1)?.rss_mb ?? NaN;
  return (
    `${steps} steps on ${on}: ${slope.toFixed(2)} ± ${slope_error.toFixed(2)} MB per 1000 steps over the second half, ` +
    `${last.toFixed(0)} MB at the end, ${peak_rss_mb} MB peak; ${range('tensors', samples)} tensors of tfjs` +
    (samples.some(({ device_mb }) => device_mb !== undefined)
      ? `; ${range('device_mb', samples)} MB in use on the device`
      : '')
  );
}

/** The least and the most over the second half: one number where they are equal. */
function range(key: 'tensors' | 'device_mb', samples: readonly SoakSample[]): string {
  const half = samples.slice(Math.floor(samples.length / 2)).flatMap((each) => each[key] ?? []);
  return [...new Set([Math.min(...half), Math.max(...half)])].join('–');
}
