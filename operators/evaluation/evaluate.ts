/**
 * @file Attack success and benign accuracy of a model: every request under every attack, judged by what the model
 * generates beyond what it was given. Knows models only as something that answers.
 */
import type { Interval } from '../../foundation/index.js';
import {
  atLeastOne,
  attackOutcome,
  benignOutcome,
  type AttackOutcome,
  type BenignOutcome,
} from './answered.js';
import { judged } from './answer-to.js';
import { askChoices } from './choices.js';
import { judgeOf } from './judges.js';
import type { Answer, Outcome } from './judge.js';
import type { Asking, Attempt, Method, Subject } from './method.js';
import { methodsOf } from './methods.js';
import { prefilled } from './worded-methods.js';
import type { EvaluateConfig } from './config.js';
import type { Question, QuestionNotes, Questions } from './questions.js';

export interface Evaluation {
  /** By attack: `direct`, `prefill4`, `latent`, …, and `atLeastOne` of them. */
  readonly attacks: Readonly<Record<string, AttackOutcome>>;
  readonly benign: BenignOutcome | null;
  /** By the names of further tables. */
  readonly probes?: Readonly<Record<string, BenignOutcome>>;
  readonly notes?: QuestionNotes;
}

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
  /** Told how far it is, after each group. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Asks everything.
 * @throws the signal's reason, where it stops; {@link unlessStopped} takes it for what it is. JUDGE_FAILED, JUDGE_ANSWER.
 */
export async function evaluate(
  subject: Subject,
  questions: Questions,
  config: EvaluateConfig,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { limit = Infinity } = options;
  const { inside } = subject;
  const [harmful, benign] = [questions.harmful.slice(0, limit), questions.benign.slice(0, limit)];
  const probes = Object.entries(questions.probes).map(([name, all]) => [name, all.slice(0, limit)] as const);
  const methods = harmful.length > 0 ? methodsOf(config, subject) : [];
  const asked = [harmful.length * methods.length, benign.length, ...probes.map(([, all]) => all.length)];
  const run: Run = {
    asking: { subject, config, questions: { ...questions, harmful, benign }, judge: judgeOf(config.judge) },
    options,
    total: asked.reduce((sum, each) => sum + each, 0),
    done: 0,
  };
  const attacks: Record<string, AttackOutcome> = {};
  for (const method of methods) {
    const { outcomes, norms } = await ask(run, method, harmful);
    attacks[method.name] = attackOutcome(outcomes, norms);
  }
  const any = atLeastOne(Object.values(attacks));
  if (any) attacks['atLeastOne'] = any;
  const answered = async (name: string, all: readonly Question[]): Promise<BenignOutcome> =>
    benignOutcome((await ask(run, prefilled(name, 0), all)).outcomes);
  const found: Record<string, BenignOutcome> = {};
  const onBenign = benign.length > 0 ? await answered('benign', benign) : null;
  for (const [name, all] of probes) found[name] = await answered(name, all);
  for (const [name, all] of Object.entries(questions.choices))
    if (inside)
      found[name] = await askChoices(
        (batch) => inside.rowLosses(batch),
        all.slice(0, limit),
        () => heard(options.signal),
      );
  return {
    attacks,
    benign: onBenign,
    ...(Object.keys(found).length > 0 && { probes: found }),
    notes: questions.notes,
  };
}

/** What the work gives, or undefined where the signal stopped it. */
export async function unlessStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

/** Figures of an evaluation as a metric: `directComply`, `directComplyLow`, … `benignAccuracy`, … */
export function evaluationValues({ attacks, benign, probes = {} }: Evaluation): Record<string, number> {
  const values: Record<string, number> = {};
  const put = (name: string, { estimate, low, high }: Interval): void => {
    values[name] = estimate;
    values[`${name}Low`] = low;
    values[`${name}High`] = high;
  };
  for (const [attack, { comply, counts, n }] of Object.entries(attacks)) {
    put(`${attack}Comply`, comply);
    values[`${attack}Refuse`] = counts.refuse / n;
    values[`${attack}Incoherent`] = counts.incoherent / n;
  }
  if (benign) put('benignAccuracy', benign.accuracy);
  for (const [name, { accuracy }] of Object.entries(probes)) put(`${name}Accuracy`, accuracy);
  return values;
}

interface Run {
  readonly asking: Asking;
  readonly options: EvaluateOptions;
  readonly total: number;
  done: number;
}

/** Throws where a stop was asked for. A runtime may never yield to the event loop, through which the asking comes. */
async function heard(signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return;
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

/** All questions by one method, group by group. */
async function ask(
  run: Run,
  method: Method,
  questions: readonly Question[],
): Promise<{ outcomes: Outcome[]; norms?: AttackOutcome['norms'] }> {
  const { asking, options } = run;
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
    run.done += group.length;
    options.onProgress?.(run.done, run.total);
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
