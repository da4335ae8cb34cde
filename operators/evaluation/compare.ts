/** @file Two evaluations of the same requests, side by side. Numbers in, numbers out. */
import { pairedDifference, type Interval } from '../../foundation/index.js';
import type { Evaluation } from './evaluate.js';

/** Differences (first − second) with 95 % intervals: share that complied, by attack, and benign accuracy. */
export interface Comparison {
  readonly attacks: Readonly<Record<string, Interval>>;
  readonly benign: Interval | null;
}

/** Compares two models request by request; attacks that only one of them was put under are left out. */
export function compare(first: Evaluation, second: Evaluation): Comparison {
  const attacks: Record<string, Interval> = {};
  for (const [name, { outcomes }] of Object.entries(first.attacks)) {
    const other = second.attacks[name];
    if (other) attacks[name] = pairedDifference(complied(outcomes), complied(other.outcomes));
  }
  const benign =
    first.benign && second.benign ? pairedDifference(first.benign.outcomes, second.benign.outcomes) : null;
  return { attacks, benign };
}

function complied(outcomes: readonly string[]): boolean[] {
  return outcomes.map((outcome) => outcome === 'comply');
}
