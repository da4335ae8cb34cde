/**
 * @file Attack success and benign accuracy of a model: every request under every attack, judged by what the model
 * generates beyond what it was given. Knows models only as something that answers.
 */
import { attackOutcome, benignOutcome, type AttackOutcome, type BenignOutcome } from './answered.js';
import { ask, counted, heard, type EvaluateOptions, type Run } from './ask.js';
import type { EvaluateConfig } from './config.js';
import { judgeOf } from './judges.js';
import { weightChanges, type NamedChange } from './adaptive/weight-change.js';
import { askChoices } from './measures/choices.js';
import { completionLosses, likelihoodOf } from './measures/likelihood.js';
import { linearProbe, type Recall } from './measures/linear-probe.js';
import { chatQuality, type Quality } from './measures/quality.js';
import type { Inside, Method, Subject } from './method.js';
import { methodsOf, plainMethods } from './methods.js';
import type { Question, QuestionNotes, Questions } from './questions.js';
import { atLeastOne, strongest, type Strongest } from './strongest.js';
import { prefilled } from './worded-methods.js';

export interface Evaluation {
  /** By attack: `direct`, `prefill4`, `latent`, …, and `atLeastOne` of them. */
  readonly attacks: Readonly<Record<string, AttackOutcome>>;
  /** The best single attack, and what the best few reach; where there is more than one. */
  readonly strongest?: Strongest;
  readonly benign: BenignOutcome | null;
  /** By the names of further tables. */
  readonly probes?: Readonly<Record<string, BenignOutcome>>;
  /** What linear probes find, by table. */
  readonly recall?: Readonly<Record<string, Recall>>;
  /** Chat quality, as a judge outside sees it. */
  readonly quality?: Quality;
  readonly notes?: QuestionNotes;
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
  const asked = firstOf(questions, options.limit ?? Infinity);
  const methods = asked.harmful.length > 0 ? methodsOf(config, subject) : [];
  const changes = subject.inside ? weightChanges(config.weights) : [];
  const tables = Object.entries(asked.probes);
  const run: Run = {
    asking: { subject, config, questions: asked, judge: judgeOf(config.judge) },
    options,
    total: [
      asked.benign,
      ...tables.map(([, all]) => all),
      ...readInside(subject, asked),
      chats(config, asked),
    ].reduce(
      (sum, { length }) => sum + length,
      asked.harmful.length * methods.length + changes.length * plainly(asked, config),
    ),
    done: 0,
  };
  const attacks = await underAttacks(run, methods);
  const changed = await underChanges(run, changes);
  Object.assign(attacks, changed.attacks);
  const benign = asked.benign.length > 0 ? await onTable(run, 'benign', asked.benign) : null;
  const probes: Record<string, BenignOutcome> = {};
  for (const [name, all] of tables) probes[name] = await onTable(run, name, all);
  Object.assign(probes, await onChoices(run), changed.probes);
  const recall = await byProbes(run);
  const quality = await onChats(run);
  const any = atLeastOne(Object.values(attacks));
  return {
    attacks: { ...attacks, ...(any && { atLeastOne: any }) },
    ...(any && { strongest: strongest(attacks) }),
    benign,
    ...(Object.keys(probes).length > 0 && { probes }),
    ...(Object.keys(recall).length > 0 && { recall }),
    ...(quality && { quality }),
    notes: questions.notes,
  };
}

/** Tables that are not answered in words, but read from inside. */
function readInside(subject: Subject, { choices, recall }: Questions): (readonly unknown[])[] {
  return subject.inside ? [...Object.values(choices), ...Object.values(recall)] : [];
}

function chats({ quality }: EvaluateConfig, questions: Questions): readonly unknown[] {
  return quality ? questions.quality : [];
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

/** The first rows of each table. */
function firstOf(questions: Questions, limit: number): Questions {
  const { harmful, benign, probes, choices, recall, quality } = questions;
  const cut = <T>(tables: Readonly<Record<string, readonly T[]>>): Record<string, readonly T[]> =>
    Object.fromEntries(Object.entries(tables).map(([name, all]) => [name, all.slice(0, limit)]));
  return {
    ...questions,
    harmful: harmful.slice(0, limit),
    benign: benign.slice(0, limit),
    probes: cut(probes),
    choices: cut(choices),
    recall: cut(recall),
    quality: quality.slice(0, limit),
  };
}

async function underAttacks(
  run: Run,
  methods: readonly Method[],
  subject = run.asking.subject,
): Promise<Record<string, AttackOutcome>> {
  const attacks: Record<string, AttackOutcome> = {};
  for (const method of methods) {
    const { outcomes, norms } = await ask(run, method, run.asking.questions.harmful, subject);
    attacks[method.name] = attackOutcome(outcomes, norms);
  }
  return attacks;
}

/** Questions that are asked with each change of the weights. */
function plainly({ harmful, benign }: Questions, config: EvaluateConfig): number {
  return harmful.length * plainMethods(config).length + benign.length;
}

/** Plain and prefilled requests, and benign ones, of the model with changed weights; one changed model at a time. */
async function underChanges(
  run: Run,
  changes: readonly NamedChange[],
): Promise<{
  readonly attacks: Record<string, AttackOutcome>;
  readonly probes: Record<string, BenignOutcome>;
}> {
  const { config, subject, questions } = run.asking;
  const methods = questions.harmful.length > 0 ? plainMethods(config) : [];
  const attacks: Record<string, AttackOutcome> = {};
  const probes: Record<string, BenignOutcome> = {};
  for (const { name, change } of changes) {
    await heard(run.options.signal);
    const changed = await (subject.inside as Inside).changed(change);
    const under = methods.map((method) => ({
      ...method,
      name: method.name === 'direct' ? name : `${name}+${method.name}`,
    }));
    Object.assign(attacks, await underAttacks(run, under, changed));
    if (questions.benign.length > 0)
      probes[`${name}+benign`] = await onTable(run, `${name}+benign`, questions.benign, changed);
  }
  return { attacks, probes };
}

/** Answers to requests that should be answered, and how likely the model finds the table's own. */
async function onTable(
  run: Run,
  name: string,
  questions: readonly Question[],
  subject = run.asking.subject,
): Promise<BenignOutcome> {
  const { asking, options } = run;
  const { outcomes } = await ask(run, prefilled(name, 0), questions, subject);
  const { inside } = subject;
  if (!inside) return benignOutcome(outcomes);
  const losses = await completionLosses(
    (batch) => inside.rowLosses(batch),
    questions,
    asking.config.batch,
    () => heard(options.signal),
  );
  return benignOutcome(outcomes, likelihoodOf(losses));
}

/** The next of the questions that are asked one by one. */
async function begun(run: Run): Promise<void> {
  await heard(run.options.signal);
  counted(run, 1);
}

async function byProbes(run: Run): Promise<Record<string, Recall>> {
  const { subject, questions } = run.asking;
  const { inside } = subject;
  const found: Record<string, Recall> = {};
  if (!inside) return found;
  for (const [name, all] of Object.entries(questions.recall)) {
    const recall = await linearProbe(
      (batch) => inside.states(batch, 'own'),
      all,
      () => begun(run),
    );
    if (recall) found[name] = recall;
  }
  return found;
}

async function onChats(run: Run): Promise<Quality | undefined> {
  const { subject, config, questions } = run.asking;
  const { quality, batch, maxNewTokens } = config;
  if (!quality) return undefined;
  return chatQuality(
    {
      tokenizer: subject.tokenizer,
      answer: (prompts, most) => subject.answer(prompts, most),
      promptTokens: questions.promptTokens,
      context: questions.context,
      batch,
      onTurn: () => heard(run.options.signal),
      onScored: (asked) => counted(run, asked),
    },
    questions.quality,
    { maxNewTokens, ...quality },
  );
}

async function onChoices(run: Run): Promise<Record<string, BenignOutcome>> {
  const { subject, questions } = run.asking;
  const { inside } = subject;
  const found: Record<string, BenignOutcome> = {};
  if (!inside) return found;
  for (const [name, all] of Object.entries(questions.choices))
    found[name] = await askChoices(
      (batch) => inside.rowLosses(batch),
      all,
      () => begun(run),
    );
  return found;
}
