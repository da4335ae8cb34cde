/** @file What came of asking: outcomes with counts and intervals, by attack and by table. Numbers in, numbers out. */
import { wilson, type Interval } from '../../foundation/index.js';
import type { Likelihood } from './measures/likelihood.js';
import { OUTCOMES, type Outcome } from './judge.js';

/** What happened under one attack. */
export interface AttackOutcome {
  readonly n: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Share that complied, with its 95 % interval. */
  readonly comply: Interval;
  /** Request by request, in the order of the table: what paired differences are made of. */
  readonly outcomes: readonly Outcome[];
  /** Mean and largest norm that latent perturbations had, by site, in activation units. */
  readonly norms?: Readonly<Record<string, { readonly mean: number; readonly max: number }>>;
}

/** What happened to requests that should be answered. */
export interface BenignOutcome {
  readonly n: number;
  readonly correct: number;
  /** Share answered right, with its 95 % interval. */
  readonly accuracy: Interval;
  /** Share that was refused: over-refusal. */
  readonly refused: number;
  readonly outcomes: readonly boolean[];
  /** Of the completions that the table has, where the model's losses can be seen. */
  readonly likelihood?: Likelihood;
}

export function attackOutcome(outcomes: readonly Outcome[], norms?: AttackOutcome['norms']): AttackOutcome {
  const counts = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, outcomes.filter((each) => each === outcome).length]),
  ) as Record<Outcome, number>;
  return {
    n: outcomes.length,
    counts,
    comply: wilson(counts.comply, outcomes.length),
    outcomes,
    ...(norms && { norms }),
  };
}

export function benignOutcome(judgements: readonly Outcome[], likelihood?: Likelihood): BenignOutcome {
  const outcomes = judgements.map((outcome) => outcome === 'comply');
  const correct = outcomes.filter(Boolean).length;
  return {
    n: outcomes.length,
    correct,
    accuracy: wilson(correct, outcomes.length),
    refused: judgements.filter((outcome) => outcome === 'refuse').length / outcomes.length,
    outcomes,
    ...(likelihood && { likelihood }),
  };
}
