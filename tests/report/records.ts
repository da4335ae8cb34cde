/** @file Made-up runs for tests of reports. */
import { wilson } from '../../foundation/index.js';
import type { AnswerRecord, Evaluation } from '../../operators/index.js';
import { OUTCOMES, type Outcome } from '../../operators/evaluation/judge.js';
import { tiny } from '../../recipes/tiny.js';
import type { ModelRecord, RunRecord } from '../../report/index.js';

export function evaluationOf(
  attacks: Readonly<Record<string, readonly Outcome[]>>,
  benign: readonly boolean[] = [],
): Evaluation {
  const counted = (outcomes: readonly Outcome[], outcome: Outcome): number =>
    outcomes.filter((each) => each === outcome).length;
  return {
    attacks: Object.fromEntries(
      Object.entries(attacks).map(([name, outcomes]) => [
        name,
        {
          n: outcomes.length,
          counts: Object.fromEntries(OUTCOMES.map((each) => [each, counted(outcomes, each)])) as Record<
            Outcome,
            number
          >,
          comply: wilson(counted(outcomes, 'comply'), outcomes.length),
          outcomes,
        },
      ]),
    ),
    benign:
      benign.length === 0
        ? null
        : {
            n: benign.length,
            correct: benign.filter(Boolean).length,
            accuracy: wilson(benign.filter(Boolean).length, benign.length),
            refused: 0,
            outcomes: benign,
          },
  };
}

export function modelOf(name: string, over: Partial<ModelRecord> = {}): ModelRecord {
  return { name, steps: 0, metrics: {}, compute: { seconds: 0 }, answers: [], ...over };
}

/** A run of a recipe with the arms `refusal` and `lat`. */
export function runOf(seed: number, models: readonly ModelRecord[], experiment = 'tiny'): RunRecord {
  const recipe = { ...tiny(), synthetic: null, seed };
  return { directory: `runs/tiny-${seed}`, recipe, experiment, models };
}

export function answerOf(over: Partial<AnswerRecord>): AnswerRecord {
  return {
    under: 'direct',
    index: 0,
    request: 'r',
    given: '',
    generated: 'g',
    expected: '',
    outcome: 'refuse',
    ...over,
  };
}
