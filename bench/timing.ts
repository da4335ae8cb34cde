/** @file Medians, peak memory, and timing a workload in this process. Knows nothing about what is timed. */
import type { Shapes } from './shapes.js';
import { workload } from './step.js';

/** What `bench step` prints. Seconds of the timed steps; memory over the process's life, building included. */
export interface StepResult {
  readonly seconds: number;
  readonly all: readonly number[];
  readonly peak_rss_mb: number;
  /** The step before the timed ones, compiling included. */
  readonly first_seconds: number;
  readonly compilations: number;
}

/** One warm-up step, then `repeats` timed ones. */
export async function timeStep(shapes: Shapes): Promise<StepResult> {
  const work = workload(shapes);
  const first = await seconds(() => work.step());
  const all: number[] = [];
  for (let repeat = 0; repeat < shapes.repeats; repeat++) all.push(await seconds(() => work.step()));
  const { compilations } = work.stats();
  await work.dispose();
  return { seconds: median(all), all, peak_rss_mb: peakMegabytes(), first_seconds: first, compilations };
}

export async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

/** Largest resident set of this process so far, in MB (2^20 bytes). */
export function peakMegabytes(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
