/** @file Whether what was sampled over the steps of a run grows. */
import { linearFit, type Point } from '../../bench/linear-fit.js';
import type { ProcessFigures } from './process-figures.js';
import type { Sample } from './sample.js';

/** Of the second half. */
export interface Trend {
  /** Its mean. */
  readonly level: number;
  /** By 1000 steps (seconds), with its standard error: of means of tenths, since neighbouring samples of memory are alike. */
  readonly slope: number;
  readonly error: number;
  /** What the line gains over the half, as a share of the level. */
  readonly growth: number;
  /** It gains less than 2 % of the level, or less than two standard errors. */
  readonly isFlat: boolean;
  /** The largest of each quarter of the whole. */
  readonly peaks: readonly number[];
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
    'training: CPU of a step, ms': trendOf(costs(samples)),
  };
}

/** CPU milliseconds of training for each step between two samples. */
function costs(samples: readonly Sample[]): Point[] {
  return samples.slice(1).flatMap(({ step, training }, at) => {
    const before = samples[at] as Sample;
    const seconds = training.cpuSeconds - before.training.cpuSeconds;
    return step > before.step ? [{ x: step, y: (1000 * seconds) / (step - before.step) }] : [];
  });
}

const BLOCKS = 10;

/** @param points by step, or by second. @param skipped share of the way that comes first. */
export function trendOf(points: readonly Point[], skipped = 0.5): Trend {
  const [first, last] = [points[0]?.x ?? 0, points.at(-1)?.x ?? 0];
  const part = (from: number, to: number): Point[] => {
    const [begin, end] = [from, to].map((share) => first + share * (last - first)) as [number, number];
    return points.filter(({ x }) => x >= begin && x <= end);
  };
  const blocks = Array.from({ length: BLOCKS }, (_, at) => {
    const from = skipped + (at * (1 - skipped)) / BLOCKS;
    return part(from, from + (1 - skipped) / BLOCKS);
  });
  const means = blocks
    .filter(({ length }) => length > 0)
    .map((block) => ({ x: mean(block, 'x'), y: mean(block, 'y') }));
  const level = mean(means, 'y');
  const peaks = [0, 0.25, 0.5, 0.75].map((from) => Math.max(...part(from, from + 0.25).map(({ y }) => y)));
  if (new Set(means.map(({ x }) => x)).size < 3)
    return { level, slope: NaN, error: NaN, growth: NaN, isFlat: false, peaks };
  const { slope, slope_error: error } = linearFit(means);
  const growth = level === 0 ? 0 : (slope * (1 - skipped) * (last - first)) / level;
  const isFlat = Math.abs(growth) < 0.02 || Math.abs(slope) < 2 * error;
  return { level, slope: 1000 * slope, error: 1000 * error, growth, isFlat, peaks };
}

function mean(points: readonly Point[], of: keyof Point): number {
  return points.reduce((sum, point) => sum + point[of], 0) / points.length;
}
