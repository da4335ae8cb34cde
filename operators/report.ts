/** @file What a run's stages found, as metric values. Numbers in, numbers out; clocks only for people. */
import type { TrainingBatch } from '../datasets/index.js';
import type { DefendTrace } from './defend/defender.js';
import type { AttackTrace, Perturbation } from './perturbation.js';

type Values = Record<string, number>;

/** The last iteration of an attack: losses (summed over parts), largest and mean realised norms by site, and what ε bounds. */
export function attackValues(perturbations: readonly Perturbation[], epsilon?: number): Values {
  const traces = perturbations.flatMap(({ trace }) => trace.slice(-1));
  const first = perturbations.flatMap(({ trace }) => trace.slice(0, 1));
  const sum = (of: (trace: AttackTrace) => number, among = traces): number =>
    among.reduce((total, trace) => total + of(trace), 0);
  const values: Values = { loss: sum(({ loss }) => loss), firstLoss: sum(({ loss }) => loss, first) };
  for (const name of Object.keys(traces[0]?.losses ?? {}))
    values[name] = sum(({ losses }) => losses[name] ?? 0);
  if (epsilon !== undefined) values['epsilon'] = epsilon;
  for (const site of Object.keys(traces[0]?.norms ?? {})) {
    values[`norm/${site}`] = Math.max(...traces.map(({ norms }) => norms[site] ?? 0));
    values[`meanNorm/${site}`] =
      traces.reduce((total, { meanNorms }) => total + (meanNorms[site] ?? 0), 0) / traces.length;
  }
  // What ε is to be compared with, where that is not the norm itself.
  for (const site of Object.keys(traces[0]?.bounded ?? {}))
    values[`bounded/${site}`] = Math.max(...traces.map(({ bounded }) => bounded?.[site] ?? 0));
  return values;
}

/** The last update on a batch. */
export function defendValues(trace: readonly DefendTrace[]): Values {
  const last = trace.at(-1);
  if (!last) return {};
  const { loss, losses, gradientNorm, learningRate, lossScale } = last;
  return { loss, ...losses, gradientNorm, learningRate, ...(lossScale !== undefined && { lossScale }) };
}

/** How fast a run is: of interest to people, never to results. */
export class Pace {
  private readonly started = performance.now();
  private stepStarted = 0;
  private done = 0;

  /** @param programs how many are compiled by now */
  constructor(
    private readonly steps: number,
    private readonly programs?: () => number,
  ) {}

  begin(): void {
    this.stepStarted = performance.now();
  }

  /** After attack and defence of a batch: evaluations and checkpoints do not count. */
  trained({ pairs, benign }: TrainingBatch): Values {
    const seconds = (performance.now() - this.stepStarted) / 1000;
    const tokens = [pairs, ...(benign ? [benign] : [])]
      .map(({ segments }) => segments.reduce((count, segment) => count + (segment === 0 ? 0 : 1), 0))
      .reduce((total, count) => total + count, 0);
    return {
      tokensPerSecond: tokens / seconds,
      secondsPerStep: seconds,
      residentMegabytes: process.memoryUsage.rss() / 2 ** 20,
      // Of the whole process, and so of the arms before this one, too. Node gives kilobytes.
      peakMegabytes: process.resourceUsage().maxRSS / 2 ** 10,
      ...(this.programs && { programs: this.programs() }),
    };
  }

  /** After everything that belongs to a step, whatever it was. */
  progress(step: number): Values {
    this.done += 1;
    const each = (performance.now() - this.started) / 1000 / this.done;
    return { step, steps: this.steps, secondsLeft: each * (this.steps - step) };
  }
}
