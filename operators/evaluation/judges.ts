/** @file Judges as evaluations use them: rules, a program, or an address. */
import type { JudgeConfig } from './config.js';
import { judge, OUTCOMES, type Answer, type Outcome } from './judge.js';
import { askOutside } from './outside.js';

/** Judges many answers at once: one outcome for each, in their order. */
export type Judge = (answers: readonly Answer[]) => Promise<readonly Outcome[]>;

/**
 * Outside, a program reads an {@link Answer} per line and writes `{"outcome": "comply" | "refuse" | "incoherent"}` per line;
 * an address takes `{"answers": […]}` by POST and replies `{"outcomes": ["comply", …]}`.
 * @throws when it is used: JUDGE_FAILED, JUDGE_ANSWER, where a judge outside does not do its work.
 */
export function judgeOf(config: JudgeConfig): Judge {
  const { by } = config;
  if (!by) return (answers) => Promise.resolve(answers.map((answer) => judge(answer, config)));
  return (answers) =>
    askOutside(by, answers, {
      who: 'judge',
      setting: 'evaluate.judge.by',
      code: 'JUDGE',
      items: ['answer', 'answers'],
      replies: ['outcome', 'outcomes'],
      accepted: (outcome): outcome is Outcome => (OUTCOMES as readonly unknown[]).includes(outcome),
      expected: `each one of ${OUTCOMES.join(', ')}`,
    });
}
