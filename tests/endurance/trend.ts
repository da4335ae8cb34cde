/** @file Whether what was sampled over the steps of a run grows. */
import { linearFit, type Point } from '../../bench/linear-fit.js';
import type { ProcessFigures } from './process-figures.js';
import type { Sample } from './sample.js';

/** Of the second half of the samples. */
export interface Trend {
  /** Their mean. */
  readonly level: number;
  /** By 1000 steps (seconds), with its standard error (of independent samples: those of memory are not quite). */
  readonly slope: number;
  readonly error: number;
  /** What the line gains over the half, as a share of the level. */
  readonly growth: number;
  /** It gains less than 2 % of the level, or less than two standard errors. */
  readonly isFlat: boolean;
}

const MEGABYTE = 2 ** 20;

/** Of memory (MB), descriptors and threads of both processes, and of the training process's CPU time for a step (ms). */
export function trendsOf(samples: readonly Sample[]): Record<string, Trend> {
  const of = (value: (sample: Sample) => number): Trend =>
    trendOf(samples.map((sample) => ({ x: sample.step, y: value(sample) })));
  const figures = (name: 'serving' | 'training'): Record<string, Trend> => {
    const each = (key: keyof ProcessFigures, unit = 1): Trend => of((sample) => sample[name][key] / unit);
    return {
      [`${name}: memory, MB`]: each('residentBytes', MEGABYTE),
      [`${name}: descriptors`]: each('descriptors'),
      [`${name}: threads`]: each('threads'),
    };
  };
  return {
    ...figures('serving'),
    ...figures('training'),
    'training: CPU of a step, ms': trendOf(costs(samples, 'training')),
    'serving: CPU of a step, ms': trendOf(costs(samples, 'serving')),
  };
}

/** CPU milliseconds of a process for each step between two samples. */
function costs(samples: readonly Sample[], name: 'serving' | 'training'): Point[] {
  return samples.slice(1).flatMap((sample, at) => {
    const before = samples[at] as Sample;
    const steps = sample.step - before.step;
    const seconds = sample[name].cpuSeconds - before[name].cpuSeconds;
    return steps > 0 ? [{ x: sample.step, y: (1000 * seconds) / steps }] : [];
  });
}

/** @param points by step, or by second. @param skipped share of them that come first. */
export function trendOf(points: readonly Point[], skipped = 0.5): Trend {
  const half = points.slice(Math.floor(points.length * skipped));
  const level = half.reduce((sum, { y }) => sum + y, 0) / half.length;
  const [first, last] = [half[0]?.x ?? 0, half.at(-1)?.x ?? 0];
  if (half.length < 3 || first === last) return { level, slope: NaN, error: NaN, growth: NaN, isFlat: false };
  const { slope, slope_error: error } = linearFit(half);
  const growth = level === 0 ? 0 : (slope * (last - first)) / level;
  const isFlat = Math.abs(growth) < 0.02 || Math.abs(slope) < 2 * error;
  return { level, slope: 1000 * slope, error: 1000 * error, growth, isFlat };
}
