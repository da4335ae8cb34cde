/**
 * @file One training, told as a stream: batches are pulled one at a time, attacked (in tokens, in activations), defended against, evaluated and
 * checkpointed, and every stage reports. Knows nothing about files of models, servers or arms.
 */
import type { Cursor, TrainingBatch } from '../datasets/index.js';
import { drain, pull, serial, take, tap, type Control, type Recorder } from '../streams/index.js';
import type { Attack } from './attack/attack.js';
import { partsOf, type DefendPart } from './defend/part.js';
import { diverging, refuseNonFinite } from './diverging.js';
import { unlessStopped, type Evaluation } from './evaluation/evaluate.js';
import { evaluationValues } from './evaluation/values.js';
import { moment } from './moment.js';
import { allPasses, NO_PASSES, type Passes } from './passes.js';
import type { Perturbation } from './perturbation.js';
import { attackValues, defendValues, Pace } from './report.js';
import { resume, type Resumable, type Start } from './resume.js';
import { AS_GIVEN, type LiveSettings, type Settings } from './settings.js';
import { StreamReport, type Batches } from './stream-report.js';

/** The stages of a run, each made for it. */
export interface RunParts extends Resumable {
  readonly steps: number;
  /** Endless batches after a cursor. */
  readonly batches: (from: Cursor | undefined) => Batches;
  /** Parts that a batch is split into by rows, to bound memory. */
  readonly microbatches: number;
  /** Null for training without an adversary in activations. */
  readonly attack: Attack | null;
  /** The attack's radius, reported beside the norms. */
  readonly epsilon?: number | undefined;
  /** Ends with the signal's reason where the signal stops it. */
  readonly evaluate: ((signal: AbortSignal) => Promise<Evaluation>) | null;
  /** Steps between evaluations, and between checkpoints; 0 for none but the last checkpoint. */
  readonly every: { readonly evaluate: number; readonly checkpoint: number };
  /** What may change while it runs; nothing if not given. */
  readonly settings?: LiveSettings;
  /** How many programs are compiled by now. */
  readonly programs?: () => number;
  readonly control: Control;
  readonly record: Recorder;
  /** A note that may repeat itself from step to step. */
  readonly warn: (text: string) => void;
}

/** Where a run ended: all steps done, or stopped in between with everything saved. */
export interface RunEnd {
  readonly step: number;
  readonly finished: boolean;
}

/** The same, while it runs. */
type Running = RunParts & { readonly flow: StreamReport };

interface Step {
  readonly batch: TrainingBatch;
  /** Counted from 1. */
  readonly number: number;
  readonly settings: Settings;
  readonly parts: readonly DefendPart[];
  readonly perturbations: readonly Perturbation[];
  /** What the search for suffixes took. */
  readonly searched: Passes;
}

/**
 * Trains from the newest whole checkpoint, or from the start.
 * @throws TRAIN_LOSS_NOT_FINITE (the last good checkpoint stays), and what the stages throw.
 */
export async function run(parts: RunParts): Promise<RunEnd> {
  const start = await resume(parts);
  const batches = parts.batches(start.cursor);
  const flow = new StreamReport(parts.record, batches);
  try {
    return await trained({ ...parts, record: flow.record, flow }, batches, start);
  } finally {
    flow.close();
  }
}

async function trained(parts: Running, batches: Batches, start: Start): Promise<RunEnd> {
  const { seed, fingerprint, steps, every, control, record, flow } = parts;
  const pace = new Pace(steps, parts.programs);
  let last: { readonly step: number; readonly cursor: Cursor } | undefined;
  let saved = start.step;
  let passes = start.passes;

  const attack = async (batch: TrainingBatch): Promise<Step> => {
    pace.begin();
    return attacked(parts, batch, await settled(parts, batch.index + 1));
  };
  const defend = async (step: Step): Promise<Step> => {
    const spent = await defended(parts, step);
    passes &&= allPasses([passes, spent]);
    record(step.number, 'throughput', { ...pace.trained(step.batch), ...passes });
    return step;
  };
  let unevaluated = start.unevaluated;
  const evaluate = async (step: Step): Promise<Step> => {
    const often = step.settings.evaluateEvery ?? every.evaluate;
    if (due(step.number, often) && step.number < steps) unevaluated = !(await evaluated(parts, step.number));
    return step;
  };
  const save = async (number: number, cursor: Cursor): Promise<void> => {
    const { updates, tensors } = await parts.defender.save();
    refuseNonFinite(number, tensors);
    const also = {
      ...(unevaluated && { unevaluated: true as const }),
      ...(passes && { passes }),
      ...(parts.pool && { pool: parts.pool.save() }),
    };
    await parts.checkpoints.save({ step: number, seed, cursor, updates, ...also, fingerprint, tensors });
    record(number, 'checkpoint', { step: number });
    saved = number;
  };
  const checkpoint = async (step: Step): Promise<Step> => {
    last = { step: step.number, cursor: step.batch.cursor };
    if (due(step.number, every.checkpoint) || step.number === steps)
      await flow.during('checkpoint', step.number, () => save(step.number, step.batch.cursor));
    return step;
  };
  const report = ({ number }: Step): void => {
    record(number, 'progress', pace.progress(number));
    flow.stepped();
  };

  if (unevaluated) unevaluated = !(await evaluated(parts, start.step));
  await drain(
    pull(batches, { control, gauge: flow.batch })
      .through(take(steps - start.step), serial(attack), serial(defend))
      .through(serial(evaluate), serial(checkpoint), tap(report)),
  );
  if (last && last.step > saved) await save(last.step, last.cursor);
  const step = last?.step ?? start.step;
  return { step, finished: step === steps };
}

/** Evaluates what the defender is now. @returns false where that was stopped: then nothing is recorded. */
async function evaluated({ evaluate, control, record, flow }: Running, step: number): Promise<boolean> {
  if (!evaluate) return true;
  const evaluation = await flow.during('evaluate', step, () =>
    unlessStopped(control.signal, () => evaluate(control.signal)),
  );
  if (evaluation) record(step, 'evaluate', evaluationValues(evaluation));
  return evaluation !== undefined;
}

/** What holds from a step on, on record where it is new. */
async function settled({ settings = AS_GIVEN, record }: RunParts, step: number): Promise<Settings> {
  const now = await settings.begin(step);
  if (now.changed) record(step, 'settings', { ...now.settings });
  return now.settings;
}

/** Each part of the batch with the perturbation that was found for it. */
async function attacked(run: Running, given: TrainingBatch, settings: Settings): Promise<Step> {
  const { attack, defender, seed, ...parts } = run;
  const number = given.index + 1;
  moment(`attack:${number}`);
  const { batch, searched } = await pooled(run, given);
  const plain = partsOf(batch, parts.microbatches);
  if (!attack) return { batch, number, settings, parts: plain, perturbations: [], searched };
  const perturbations: Perturbation[] = [];
  await parts.flow.during('attack', number, async () => {
    for (const { pairs } of plain)
      if (pairs)
        perturbations.push(
          await diverging(number, () => attack(defender.weights(), pairs, { step: number, seed })),
        );
  });
  parts.record(number, 'attack', attackValues(perturbations, settings.epsilon ?? parts.epsilon));
  new Set(perturbations.flatMap(({ warnings }) => warnings)).forEach((warning) => parts.warn(warning));
  const perturbed = plain.map((part, at) => ({ ...part, deltas: perturbations[at]?.deltas ?? {} }));
  return { batch, number, settings, parts: perturbed, perturbations, searched };
}

/** The batch with cases of the pool, where there is one. */
async function pooled(
  { pool, seed, record, flow }: Running,
  batch: TrainingBatch,
): Promise<{ readonly batch: TrainingBatch; readonly searched: Passes }> {
  if (!pool) return { batch, searched: NO_PASSES };
  const step = batch.index + 1;
  const { pairs, values, passes } = await flow.during('search', step, () =>
    diverging(step, () => pool.searched(batch.pairs, { step, seed })),
  );
  record(step, 'pool', values);
  return { batch: { ...batch, pairs }, searched: passes };
}

/** @returns what attack and defence took. */
async function defended({ defender, record, flow }: Running, step: Step): Promise<Passes> {
  moment(`defend:${step.number}`);
  const trace = await flow.during('defend', step.number, () =>
    diverging(step.number, () => defender.step(step.parts, step.settings)),
  );
  step.perturbations.forEach((perturbation) => perturbation.release());
  moment(`defended:${step.number}`);
  record(step.number, 'defend', defendValues(trace));
  const spent = allPasses([step.searched, ...[...step.perturbations, ...trace].map(({ passes }) => passes)]);
  flow.trained(step.perturbations, trace, spent);
  return spent;
}

function due(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}
