/** @file Adds up the runtime's own profile of a session by kind of operation. Knows that format, and nothing of programs. */
import { z } from 'zod';

const event = z.object({
  cat: z.string(),
  name: z.string(),
  /** Microseconds. */
  ts: z.number(),
  dur: z.number(),
  args: z.object({ op_name: z.string().optional() }).optional(),
});

/** Seconds and calls, over all runs that count. */
export interface KernelTime {
  readonly seconds: number;
  readonly calls: number;
}

export interface SessionTimes {
  readonly runs: number;
  /** The runtime's own measure of these runs. */
  readonly seconds: number;
  readonly kernels: Readonly<Record<string, KernelTime>>;
}

/**
 * Kernels by the runtime's names of operations, those that it fused included.
 * @param text of a profile, JSON. @param skip so many of the first runs do not count.
 */
export function kernelTimes(text: string, skip: number): SessionTimes {
  const events = z.array(event.partial()).parse(JSON.parse(text));
  const whole = events.flatMap((each) => event.safeParse(each).data ?? []);
  const runs = whole
    .filter(({ name }) => name === 'model_run')
    .sort((a, b) => a.ts - b.ts)
    .slice(skip);
  const from = runs[0]?.ts ?? Infinity;
  const kernels: Record<string, { seconds: number; calls: number }> = {};
  for (const { cat, name, ts, dur, args } of whole) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || ts < from) continue;
    const kernel = (kernels[args?.op_name ?? 'unknown'] ??= { seconds: 0, calls: 0 });
    kernel.seconds += dur / 1e6;
    kernel.calls++;
  }
  return { runs: runs.length, seconds: runs.reduce((sum, { dur }) => sum + dur / 1e6, 0), kernels };
}
