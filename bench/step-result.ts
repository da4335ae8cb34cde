/** @file Our side of one configuration alone: what `bench step` prints. */
import type { Executing } from './executing.js';
import { readShapes } from './shapes.js';
import { startOurSide } from './side.js';
import { median } from './timing.js';

/** Seconds of the timed steps; memory over the process's life, building included. */
export interface StepResult {
  readonly seconds: number;
  readonly all: readonly number[];
  readonly peak_rss_mb: number;
  /** The step before the timed ones, compiling included. */
  readonly first_seconds: number;
  readonly compilations: number;
}

/** One warm-up step, then as many timed ones as the configuration's `repeats`, in a process like a run's. */
export async function timeStep(config: string, executing: Executing): Promise<StepResult> {
  const { repeats } = readShapes(config);
  const side = await startOurSide(config, executing);
  try {
    const all: number[] = [];
    let peak = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const { seconds, peak_rss_mb: megabytes } = await side.time();
      all.push(seconds);
      peak = megabytes;
    }
    const { first_seconds: first = 0, compilations = 0 } = side.ready;
    return { seconds: median(all), all, peak_rss_mb: peak, first_seconds: first, compilations };
  } finally {
    await side.close();
  }
}
