/** @file Judges outside of this process: a program, or an address, such as a scoring model behind it. */
import { complain } from '../../foundation/index.js';
import { OUTCOMES, type Answer, type Outcome } from './judge.js';
import { askAddress, askProgram, unanswered } from './outside.js';

type OutsideJudge = (answers: readonly Answer[]) => Promise<readonly Outcome[]>;

/**
 * A program that is started once for each group: it reads one JSON object per line (`request`, `given`, `generated`,
 * `expected`, `key`) and writes one per line, in the same order: `{"outcome": "comply" | "refuse" | "incoherent"}`.
 * @throws when it is used: JUDGE_FAILED, JUDGE_ANSWER
 */
export function judgeByCommand(command: readonly string[]): OutsideJudge {
  const owner = `judge ${command[0] ?? ''}`;
  return async (answers) => {
    const replies = await askProgram(command, answers).catch((error: unknown) => failed(owner, error));
    return outcomesOf(owner, replies, answers.length);
  };
}

/**
 * An address that takes `{"answers": […]}` by POST and replies `{"outcomes": ["comply", …]}`.
 * @throws when it is used: JUDGE_FAILED, JUDGE_ANSWER
 */
export function judgeByPost(url: string): OutsideJudge {
  const owner = `judge ${url}`;
  return async (answers) => {
    const reply = await askAddress(url, { answers }).catch((error: unknown) => failed(owner, error));
    const { outcomes } = (reply ?? {}) as { readonly outcomes?: unknown };
    const list: unknown[] = Array.isArray(outcomes) ? outcomes : [];
    return outcomesOf(
      owner,
      list.map((outcome) => ({ outcome })),
      answers.length,
    );
  };
}

function outcomesOf(owner: string, replies: readonly unknown[], count: number): readonly Outcome[] {
  const outcomes = replies.map((reply) => (reply as { readonly outcome?: unknown } | null)?.outcome);
  const stranger = outcomes.findIndex((outcome) => !(OUTCOMES as readonly unknown[]).includes(outcome));
  if (outcomes.length !== count || stranger >= 0)
    complain({
      code: 'JUDGE_ANSWER',
      owner,
      expected: `${count} outcomes, each one of ${OUTCOMES.join(', ')}`,
      got: stranger >= 0 ? JSON.stringify(replies[stranger]).slice(0, 80) : `${outcomes.length} outcomes`,
      hint: 'let it say one outcome for each answer, in their order',
    });
  return outcomes as Outcome[];
}

function failed(owner: string, error: unknown): never {
  const expected = 'a judge that takes answers and gives outcomes';
  const hint = 'try it by hand with one answer; evaluate.judge.by says where it is';
  return unanswered({ code: 'JUDGE_FAILED', owner, expected, hint }, error);
}
