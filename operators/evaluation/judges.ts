/** @file Judges as evaluations use them: rules, a program, or an address. */
import type { JudgeConfig } from './config.js';
import { judgeByCommand, judgeByPost } from './outside-judge.js';
import { judge, type Answer, type Outcome } from './judge.js';

/** Judges many answers at once: one outcome for each, in their order. */
export type Judge = (answers: readonly Answer[]) => Promise<readonly Outcome[]>;

/** @throws when it is used: JUDGE_FAILED, JUDGE_ANSWER, where a judge outside does not do its work. */
export function judgeOf(config: JudgeConfig): Judge {
  const { by } = config;
  if (by && 'command' in by) return judgeByCommand(by.command);
  if (by) return judgeByPost(by.url);
  return (answers) => Promise.resolve(answers.map((answer) => judge(answer, config)));
}
