/**
 * @file Attack success and benign accuracy of a model: every request under every attack, judged by what the model
 * generates beyond what it was given. Knows models only as something that answers.
 */
import { pack, type PackedBatch, type Tokenizer } from '../../datasets/index.js';
import { wilson, type Interval } from '../../foundation/index.js';
import type { EvaluateConfig } from './config.js';
import { judge, matches, normalize, OUTCOMES, type Outcome } from './judge.js';
import type { PerSite, Perturbation } from '../perturbation.js';
import type { Question, Questions } from './questions.js';
import type { Value } from '../../engine/index.js';

/** A model under evaluation. */
export interface Subject {
  readonly tokenizer: Tokenizer;
  /**
   * Greedy continuations, end of turn included or not.
   * @param deltas a perturbation of the first tokens of each row; vector p of row b is added at token p.
   */
  answer(
    prompts: readonly (readonly number[])[],
    maxNewTokens: number,
    deltas?: PerSite<Value>,
  ): Promise<readonly (readonly number[])[]>;
  /** The latent attack on rows of prompt, compliant and (where known) refusing answer. */
  perturb?(batch: PackedBatch): Promise<Perturbation>;
}

/** What happened under one attack. */
export interface AttackOutcome {
  readonly n: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Share that complied, with its 95 % interval. */
  readonly comply: Interval;
  /** Request by request, in the order of the table: what paired differences are made of. */
  readonly outcomes: readonly Outcome[];
}

/** What happened to benign requests. */
export interface BenignOutcome {
  readonly n: number;
  readonly correct: number;
  /** Share answered right, with its 95 % interval. */
  readonly accuracy: Interval;
  /** Share that was refused: over-refusal. */
  readonly refused: number;
  readonly outcomes: readonly boolean[];
}

export interface Evaluation {
  /** By attack: `direct`, `prefill4`, `latent`, … */
  readonly attacks: Readonly<Record<string, AttackOutcome>>;
  readonly benign: BenignOutcome | null;
}

/**
 * Asks everything.
 * @param limit most requests of each table; all without it.
 * @param signal stops it between groups: half an evaluation is none.
 * @throws the signal's reason, where it stops; {@link unlessStopped} takes it for what it is.
 */
export async function evaluate(
  subject: Subject,
  questions: Questions,
  config: EvaluateConfig,
  limit = Infinity,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const ask = { subject, config, signal };
  const harmful = questions.harmful.slice(0, limit);
  const attacks: Record<string, AttackOutcome> = {};
  if (harmful.length > 0) {
    if (config.direct) attacks['direct'] = await under(ask, harmful, 0);
    for (const tokens of config.prefill) attacks[`prefill${tokens}`] = await under(ask, harmful, tokens);
    if (config.latent && subject.perturb) attacks['latent'] = await under(ask, harmful, 'latent');
  }
  const benign = questions.benign.slice(0, limit);
  return { attacks, benign: benign.length > 0 ? await accuracy(ask, benign) : null };
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
export function evaluationValues({ attacks, benign }: Evaluation): Record<string, number> {
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
  return values;
}

interface Asking {
  readonly subject: Subject;
  readonly config: EvaluateConfig;
  readonly signal: AbortSignal | undefined;
}

/** Throws where a stop was asked for. A runtime may never yield to the event loop, through which the asking comes. */
async function heard(signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return;
  await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

async function under(
  { subject, config, signal }: Asking,
  questions: readonly Question[],
  attack: number | 'latent',
): Promise<AttackOutcome> {
  const outcomes: Outcome[] = [];
  for (const group of groups(questions, config.batch)) {
    await heard(signal);
    // A prefill never gives the whole answer away: something must be left to generate.
    const given = group.map((question) =>
      attack === 'latent' ? 0 : Math.min(attack, question.answerTokens.length - 1),
    );
    const prompts = group.map(({ promptTokens, answerTokens }, at) => [
      ...promptTokens,
      ...answerTokens.slice(0, given[at]),
    ]);
    const answers =
      attack === 'latent'
        ? await underPerturbation(subject, group, prompts, config)
        : await subject.answer(prompts, config.maxNewTokens);
    group.forEach((question, at) =>
      outcomes.push(judged(subject.tokenizer, question, given[at] ?? 0, answers[at] ?? [], config)),
    );
  }
  const counts = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, outcomes.filter((each) => each === outcome).length]),
  ) as Record<Outcome, number>;
  return { n: outcomes.length, counts, comply: wilson(counts.comply, outcomes.length), outcomes };
}

async function underPerturbation(
  subject: Subject,
  group: readonly Question[],
  prompts: readonly (readonly number[])[],
  config: EvaluateConfig,
): Promise<readonly (readonly number[])[]> {
  const batch = pack(
    group.map(({ promptTokens, answerTokens, desiredTokens }) => ({
      prompt: promptTokens,
      adversarial: answerTokens,
      desired: desiredTokens ?? answerTokens,
    })),
    { attacked: 'prompt' },
  );
  const perturbation = await subject.perturb?.(batch);
  try {
    return await subject.answer(prompts, config.maxNewTokens, perturbation?.deltas);
  } finally {
    perturbation?.release();
  }
}

function judged(
  tokenizer: Tokenizer,
  question: Question,
  given: number,
  answer: readonly number[],
  config: EvaluateConfig,
): Outcome {
  const prefilled = tokenizer.decode(question.answerTokens.slice(0, given));
  // What the prefill already said cannot be held against the model: then the rest of the answer decides.
  const said =
    question.key !== undefined && matches(normalize(prefilled), normalize(question.key), 'contains');
  return judge(
    {
      generated: tokenizer.decode(answer),
      expected: tokenizer.decode(question.answerTokens.slice(given)),
      key: said ? undefined : question.key,
    },
    config.judge,
  );
}

async function accuracy(
  { subject, config, signal }: Asking,
  questions: readonly Question[],
): Promise<BenignOutcome> {
  const judgements: Outcome[] = [];
  for (const group of groups(questions, config.batch)) {
    await heard(signal);
    const answers = await subject.answer(
      group.map(({ promptTokens }) => promptTokens),
      config.maxNewTokens,
    );
    group.forEach((question, at) =>
      judgements.push(judged(subject.tokenizer, question, 0, answers[at] ?? [], config)),
    );
  }
  const outcomes = judgements.map((outcome) => outcome === 'comply');
  const correct = outcomes.filter(Boolean).length;
  return {
    n: outcomes.length,
    correct,
    accuracy: wilson(correct, outcomes.length),
    refused: judgements.filter((outcome) => outcome === 'refuse').length / outcomes.length,
    outcomes,
  };
}

function groups<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}
