/** @file Where a step's time goes: phases, kernels, the calls around them, and what happens outside of programs. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, onnxruntimeExecutor } from '../engine/index.js';
import { attackedSlots, feedOf } from '../operators/feed.js';
import { flopsOf } from './flops.js';
import { kernelTimes, type KernelTime } from './kernel-times.js';
import { matmulRate } from './matmul-rate.js';
import { phaseOf } from './phases.js';
import { planning } from './planning.js';
import { randomBatches } from './random.js';
import { table } from './report.js';
import type { Shapes } from './shapes.js';
import { workload } from './step.js';
import { median, seconds } from './timing.js';
import { watched, type ProgramRun, type Watched } from './watched.js';

/** A phase of a step; all figures are of one step. */
export interface Phase {
  readonly runs: number;
  /** Inside runs of its programs, the profiler off. */
  readonly seconds: number;
  readonly gflop: number;
  /** The profiler on: by the runtime's kind of operation. */
  readonly kernels: Readonly<Record<string, KernelTime>>;
  /** The profiler on: inside calls of the runtime, but in no kernel. */
  readonly overhead_seconds: number;
}

export interface Profile {
  /** Median step. */
  readonly seconds: number;
  /** Median step with the profiler on. */
  readonly profiled_seconds: number;
  readonly phases: Readonly<Record<string, Phase>>;
  /** Of a step, outside of programs: preparing tensors (measured apart, part of it), and everything else. */
  readonly outside_seconds: number;
  readonly data_seconds: number;
  readonly gflop: number;
  readonly gflops: number;
  /** Of one large product in the same process, GFLOP/s. */
  readonly matmul_gflops: number;
}

/** Runs the step with the profiler off, then on; one step to warm up and `repeats` that count, each time. */
export async function profile(shapes: Shapes): Promise<Profile> {
  const plain = watched(onnxruntimeExecutor(shapes));
  const times = await timeSteps(shapes, plain);
  const took = median(times);
  const { kernels, profiled } = await profiledSteps(shapes);
  const inRuns = new Map(byPhase(plain.runs(), shapes.repeats));
  const planned = await plannedPhases(shapes);
  const phases = Object.fromEntries(
    [...inRuns].map(([name, { runs, seconds: spent }]) => [
      name,
      {
        runs,
        seconds: spent,
        gflop: planned.get(name) ?? 0,
        ...(kernels.get(name) ?? { kernels: {}, overhead_seconds: 0 }),
      },
    ]),
  );
  const all = Object.values(phases);
  const gflop = all.reduce((sum, phase) => sum + phase.gflop, 0);
  const mean = times.reduce((sum, each) => sum + each, 0) / times.length;
  return {
    seconds: took,
    profiled_seconds: median(profiled),
    phases,
    outside_seconds: mean - all.reduce((sum, phase) => sum + phase.seconds, 0),
    data_seconds: await timeData(shapes),
    gflop,
    gflops: gflop / took,
    matmul_gflops: await matmulRate(shapes.threads),
  };
}

async function timeSteps(shapes: Shapes, { executor, forget }: Watched): Promise<number[]> {
  const work = workload(shapes, { executor });
  await work.step();
  forget();
  const times: number[] = [];
  for (let repeat = 0; repeat < shapes.repeats; repeat++) times.push(await seconds(() => work.step()));
  await work.dispose();
  return times;
}

/** Runs and seconds of each phase, a step. */
export function byPhase(
  runs: readonly ProgramRun[],
  steps: number,
): [string, { readonly runs: number; readonly seconds: number }][] {
  return [...new Set(runs.map(({ program }) => phaseOf(program)))].map((phase) => {
    const own = runs.filter(({ program }) => phaseOf(program) === phase);
    const sum = own.reduce((total, each) => total + each.seconds, 0);
    return [phase, { runs: own.length / steps, seconds: sum / steps }];
  });
}

/** GFLOP of each phase, a step. */
async function plannedPhases(shapes: Shapes): Promise<Map<string, number>> {
  const { executor, compilations } = planning(shapes);
  const work = workload(shapes, { executor });
  await work.step();
  await work.dispose();
  const phases = new Map<string, number>();
  for (const { program, runs } of compilations.flatMap(({ programs }) => programs)) {
    const phase = phaseOf(program.name);
    phases.set(phase, (phases.get(phase) ?? 0) + (runs * flopsOf(program)) / 1e9);
  }
  return phases;
}

type Kernels = Pick<Phase, 'kernels' | 'overhead_seconds'>;

async function profiledSteps(shapes: Shapes): Promise<{ kernels: Map<string, Kernels>; profiled: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'latstream-profile-'));
  try {
    const prefix = (program: string): string => join(folder, `${phaseOf(program).replace(/\W/g, '-')}_`);
    const watch = watched(onnxruntimeExecutor({ ...shapes, profile: prefix }));
    const profiled = await timeSteps(shapes, watch);
    const kernels = new Map<string, Kernels>();
    const files = await readdir(folder);
    for (const [phase, { runs, seconds: spent }] of byPhase(watch.runs(), shapes.repeats)) {
      const file = files.find((name) => join(folder, name).startsWith(prefix(phase)));
      if (file === undefined) continue;
      const text = await readFile(join(folder, file), 'utf8');
      // The first step warms up; every step has the same runs.
      const times = kernelTimes(text, runs);
      const perStep = Object.entries(times.kernels).map(
        ([kind, { seconds: all, calls }]) =>
          [kind, { seconds: all / shapes.repeats, calls: calls / shapes.repeats }] as const,
      );
      const inKernels = perStep.reduce((sum, [, kernel]) => sum + kernel.seconds, 0);
      kernels.set(phase, { kernels: Object.fromEntries(perStep), overhead_seconds: spent - inKernels });
    }
    return { kernels, profiled };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Uploading one step's two batches: pairs for the attack and again for the defence, benign rows once. A gradient alone uploads none. */
async function timeData(shapes: Shapes): Promise<number> {
  if (shapes.kind === 'gradient') return 0;
  const engine = createEngine(planning().executor);
  const { pairs, benign } = randomBatches(shapes);
  const times: number[] = [];
  for (let repeat = 0; repeat < 5; repeat++)
    times.push(
      await seconds(async () => {
        feedOf(engine, pairs);
        attackedSlots(pairs);
        feedOf(engine, pairs);
        feedOf(engine, benign);
      }),
    );
  return median(times);
}

/** Tables for people. */
export function describeProfile(result: Profile): string {
  const share = (part: number, whole = result.seconds): string => `${((100 * part) / whole).toFixed(1)} %`;
  const phases = Object.entries(result.phases).map(([name, phase]) => [
    name,
    phase.runs,
    phase.seconds.toFixed(4),
    share(phase.seconds),
    phase.gflop.toFixed(3),
    (phase.gflop / phase.seconds).toFixed(1),
    share(phase.overhead_seconds, result.profiled_seconds),
  ]);
  const kinds = new Map<string, { seconds: number; calls: number }>();
  for (const { kernels } of Object.values(result.phases))
    for (const [kind, { seconds: spent, calls }] of Object.entries(kernels)) {
      const sum = kinds.get(kind) ?? { seconds: 0, calls: 0 };
      kinds.set(kind, { seconds: sum.seconds + spent, calls: sum.calls + calls });
    }
  const kernels = [...kinds]
    .sort(([, a], [, b]) => b.seconds - a.seconds)
    .map(([kind, { seconds: spent, calls }]) => [
      kind,
      calls,
      spent.toFixed(4),
      share(spent, result.profiled_seconds),
    ]);
  return [
    `${result.seconds.toFixed(4)} s a step (${result.profiled_seconds.toFixed(4)} s with the profiler on)`,
    table([['phase', 'runs', 'seconds', 'share', 'GFLOP', 'GFLOP/s', 'run overhead'], ...phases]),
    `outside of programs ${result.outside_seconds.toFixed(4)} s (${share(result.outside_seconds)}), of which data ${share(result.data_seconds)} of a step`,
    `${result.gflops.toFixed(1)} GFLOP/s of the machine's ${result.matmul_gflops.toFixed(1)}: ${share(result.gflops, result.matmul_gflops)}`,
    table([['kernel', 'calls', 'seconds', 'share'], ...kernels]),
  ].join('\n\n');
}
