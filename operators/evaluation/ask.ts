/** @file Questions put to a model by one method, group by group, judged. Knows models only as something that answers. */
import type { AttackOutcome } from './answered.js';
import { judged } from './answer-to.js';
import type { Answer, Outcome } from './judge.js';
import type { Asking, Attempt, Method } from './method.js';
import type { Question } from './questions.js';

/** One answer and what it was taken for. */
export interface AnswerRecord extends Answer {
  /** The attack, or the table. */
  readonly under: string;
  /** The question's number in its table, of those that are asked. */
  readonly index: number;
  readonly outcome: Outcome;
}

export interface EvaluateOptions {
  /** Most requests of each table; all without it. */
  readonly limit?: number | undefined;
  /** Stops it between groups: half an evaluation is none. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every answer. */
  readonly onAnswer?: ((record: AnswerRecord) => void) | undefined;
  /** Told how far it is: after each group of answers, and as further questions and chats begin or end. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** An evaluation in progress. */
export interface Run {
  readonly asking: Asking;
  readonly options: EvaluateOptions;
  readonly total: number;
  done: number;
}

/** Throws where a stop was asked for. A runtime may never yield to the event loop, through which the asking comes. */
export async function heard(signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return;
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

export function counted(run: Run, questions: number): void {
  run.done += questions;
  run.options.onProgress?.(run.done, run.total);
}

/** All questions by one method, group by group. */
export async function ask(
  run: Run,
  method: Method,
  questions: readonly Question[],
  subject = run.asking.subject,
): Promise<{ outcomes: Outcome[]; norms?: AttackOutcome['norms'] }> {
  const { options } = run;
  const asking = { ...run.asking, subject };
  const outcomes: Outcome[] = [];
  const norms: NonNullable<Attempt['norms']>[] = [];
  for (const [first, group] of groups(questions, asking.config.batch)) {
    await heard(options.signal);
    const attempts = await method.attempt(asking, group, first);
    const answers = await judged(asking, group, attempts);
    answers.forEach(({ answer, outcome }, at) => {
      outcomes.push(outcome);
      options.onAnswer?.({ under: method.name, index: first + at, ...answer, outcome });
    });
    attempts.forEach((attempt) => attempt.norms && norms.push(attempt.norms));
    counted(run, group.length);
  }
  return norms.length > 0 ? { outcomes, norms: overAll(norms) } : { outcomes };
}

function overAll(norms: readonly NonNullable<Attempt['norms']>[]): NonNullable<AttackOutcome['norms']> {
  return Object.fromEntries(
    Object.keys(norms[0] ?? {}).map((site) => {
      const all = norms.map((each) => each[site] ?? 0);
      return [site, { mean: all.reduce((sum, each) => sum + each, 0) / all.length, max: Math.max(...all) }];
    }),
  );
}

/** Groups with the index of their first question. */
function groups<T>(all: readonly T[], size: number): (readonly [number, T[]])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => [
    at * size,
    all.slice(at * size, (at + 1) * size),
  ]);
}
