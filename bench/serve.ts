/** @file One side of a comparison: warms up, says so, then times a step for every line it reads. */
import { createInterface } from 'node:readline';
import { executorFor, type Executing } from './executing.js';
import type { Shapes } from './shapes.js';
import { workload } from './step.js';
import { peakMegabytes, seconds } from './timing.js';

/** The first line of a side: it has done one step, and these were its versions and its memory before any work. */
export interface Ready {
  readonly ready: true;
  readonly imported_rss_mb: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Where it computes, and in what: `cuda bf16`. */
  readonly on?: string;
  /** Building and the first step, which compiles. */
  readonly first_seconds?: number;
  readonly compilations?: number;
}

/** Every later line. */
export interface Timed {
  readonly seconds: number;
  readonly peak_rss_mb: number;
  /** The most that a CUDA device held for it so far, of sides that can say so. */
  readonly peak_device_mb?: number;
}

/** Serves until its input ends. */
export async function serve(
  shapes: Shapes,
  executing: Executing,
  versions: Ready['versions'],
): Promise<void> {
  const imported = peakMegabytes();
  const executor = await executorFor(shapes, executing);
  const work = workload(shapes, { executor });
  const first = await seconds(() => work.step());
  const { compilations } = work.stats();
  const on = [executor.name, executor.precision].join(' ').trim();
  say({ ready: true, imported_rss_mb: imported, versions, on, first_seconds: first, compilations });
  for await (const _line of createInterface({ input: process.stdin })) {
    const took = await seconds(() => work.step());
    say({ seconds: took, peak_rss_mb: peakMegabytes() });
  }
  await work.dispose();
}

function say(line: Ready | Timed): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
