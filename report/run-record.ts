/** @file What a report is told of a run: its recipe, and what each of its models left. Types only. */
import type { AnswerRecord, Evaluation, Passes } from '../operators/index.js';
import type { Recipe } from '../recipes/index.js';
import type { Metric } from '../streams/index.js';

/** The untrained model, or an arm. */
export interface ModelRecord {
  /** `base`, or the arm's. */
  readonly name: string;
  /** Missing where it is not finished. */
  readonly evaluation?: Evaluation;
  /** Steps done. */
  readonly steps: number;
  /** What was measured on the way, thinned out where it is long; by kind, in order. */
  readonly metrics: Readonly<
    Partial<Record<'attack' | 'pool' | 'defend' | 'evaluate' | 'throughput', readonly Metric[]>>
  >;
  readonly compute: Compute;
  /** Some of its answers. */
  readonly answers: readonly AnswerRecord[];
}

/** What training took; evaluations do not count. */
export interface Compute {
  /** Unknown in runs from before they were counted. */
  readonly passes?: Passes;
  readonly seconds: number;
  /** The most memory that the run's process had held by the end of the arm. */
  readonly peakMegabytes?: number;
}

export interface RunRecord {
  /** As the user named it. */
  readonly directory: string;
  readonly recipe: Recipe;
  /** The recipe but for what differs between repetitions: its seed, and where it was run. */
  readonly experiment: string;
  /** The untrained model first, then arms in the recipe's order. */
  readonly models: readonly ModelRecord[];
  /** Versions and threads; missing until the run has finished. */
  readonly fingerprint?: Readonly<Record<string, string | number>>;
}
