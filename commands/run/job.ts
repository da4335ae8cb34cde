/** @file A whole job, inside the run's process: the base model evaluated, then every arm trained and evaluated. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../formats/index.js';
import {
  compare,
  evaluationValues,
  NO_QUESTIONS,
  unlessStopped,
  type Evaluation,
} from '../../operators/index.js';
import { recipeOfArm, recipeOfPreparation, type Recipe } from '../../recipes/index.js';
import { MetricJournal, type Metric } from '../../streams/index.js';
import { createArm, evaluateInto, hasQuestions, trainArm } from './arm.js';
import { askable } from './askable.js';
import { writeMerged } from './merged.js';
import { keptEvaluation } from './kept.js';
import { withProxy } from './proxy-search.js';
import { openRunRecord } from './record.js';
import { packageVersion, weightsDirectory } from './places.js';
import { rehearse } from './rehearse.js';
import type { JobHost, JobSpec } from './messages.js';
import { baseWeights, openRecipe, questionsOf, type Stage } from './stage.js';
import type { ArmSummary, Summary } from './summary.js';

/** The same, once metrics have a place on disk. */
interface RecordingHost extends JobHost {
  /** Resolves when all metrics so far are there. */
  readonly recorded: () => Promise<void>;
  /** Whether a former process has recorded the evaluation of a part, as in `tiny/lat`. */
  readonly hasEvaluation: (part: string, step: number) => boolean;
}

const NOTHING_ASKED: Evaluation = { attacks: {}, benign: null };

/**
 * Runs what is left of a job: what a former process finished is read back, not done again.
 * @returns undefined where it was stopped before its end; everything is saved then.
 */
export async function runJob(spec: JobSpec, host: JobHost): Promise<Summary | undefined> {
  const { recipe, out } = spec;
  const metrics = await openRunRecord(recipe, out);
  const publish = (metric: Metric): void => {
    metrics.append(metric);
    host.send({ type: 'metric', metric });
  };
  try {
    const journal = new MetricJournal(publish, { first: metrics.next });
    const recording = { ...host, recorded: () => metrics.flush(), hasEvaluation: metrics.hasEvaluation };
    const ready = await prepare(recipe, out, recording, journal);
    if (!ready) return undefined;
    const stage = await openRecipe(ready, out);
    try {
      const found = await withProxy(ready, out, stage, recording);
      return found && (await arms(found, out, stage, recording, journal));
    } finally {
      await stage.dispose();
    }
  } finally {
    await metrics.close();
  }
}

/** The recipe with the model that arms begin with; undefined where making it was stopped. */
async function prepare(
  recipe: Recipe,
  out: string,
  { send, control, recorded, asked }: RecordingHost,
  journal: MetricJournal,
): Promise<Recipe | undefined> {
  const own = recipeOfPreparation(recipe);
  if (!own) return recipe;
  const directory = join(out, 'prepare');
  const path = join(directory, 'model');
  const done = await once(directory, async () => {
    const note = (text: string): void => send({ type: 'note', text });
    const stage = await openRecipe(recipe, out);
    try {
      await rehearse(recipe, stage);
      note('preparing the base model');
      const record = journal.recorder(`${recipe.name}/prepare`);
      const arm = createArm(own, stage, NO_QUESTIONS, directory, { control, record, recorded, note, asked });
      const end = await trainArm(arm, own, stage, directory);
      if (!end.finished) return undefined;
      if (own.defend.train.kind === 'adapters')
        await writeMerged(stage, weightsDirectory(own, directory), path);
      return NOTHING_ASKED;
    } finally {
      await stage.dispose();
    }
  });
  return done && { ...recipe, model: { kind: 'directory', path } };
}

async function arms(
  recipe: Recipe,
  out: string,
  stage: Stage,
  host: RecordingHost,
  journal: MetricJournal,
): Promise<Summary | undefined> {
  const { signal } = host.control;
  const questions = await questionsOf(recipe, stage);
  await rehearse(recipe, stage);
  const note = (text: string): void => host.send({ type: 'note', text });
  const base = await once(join(out, 'base'), async () => {
    if (!hasQuestions(questions)) return NOTHING_ASKED;
    note('evaluating the base model');
    const subject = askable(recipe, stage, { config: stage.config }, () => baseWeights(stage));
    return unlessStopped(signal, () => evaluateInto(join(out, 'base'), subject, recipe, questions, signal));
  });
  if (!base) return undefined;
  const tell = (name: string, evaluation: Evaluation, step: number): void => {
    const part = `${recipe.name}/${name}`;
    const values = evaluationValues(evaluation);
    if (Object.keys(values).length > 0 && !host.hasEvaluation(part, step))
      journal.recorder(part)(step, 'evaluate', values);
    host.send({ type: 'evaluation', name, evaluation });
  };
  tell('base', base, 0);
  const done: ArmSummary[] = [];
  for (const name of Object.keys(recipe.arms)) {
    if (signal.aborted) return undefined;
    const own = recipeOfArm(recipe, name);
    const directory = join(out, name);
    const record = journal.recorder(`${recipe.name}/${name}`);
    const evaluation = await once(directory, async () => {
      note(`training ${name}`);
      const { control, recorded, asked } = host;
      const arm = createArm(own, stage, questions, directory, { control, record, recorded, note, asked });
      const end = await trainArm(arm, own, stage, directory);
      if (!end.finished) return undefined;
      if (!hasQuestions(questions)) return NOTHING_ASKED;
      note(`evaluating ${name}`);
      return unlessStopped(signal, () => evaluateInto(directory, arm.subject, own, questions, signal));
    });
    if (!evaluation) return undefined;
    tell(name, evaluation, own.steps);
    done.push({ name, steps: own.steps, weights: weightsDirectory(own, directory), evaluation });
  }
  return summarize(recipe, out, stage, base, done);
}

/** Work whose evaluation is kept beside it: done once, however often the job is resumed. */
async function once<T extends Evaluation | undefined>(
  directory: string,
  work: () => Promise<T>,
): Promise<T | Evaluation> {
  const path = join(directory, 'evaluation.json');
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return keptEvaluation(kept, path);
  const evaluation = await work();
  await mkdir(directory, { recursive: true });
  if (evaluation) await writeAtomically(path, [JSON.stringify(evaluation)]);
  return evaluation;
}

async function summarize(
  recipe: Recipe,
  out: string,
  { engine }: Stage,
  base: Evaluation,
  done: readonly ArmSummary[],
): Promise<Summary> {
  const last = done.at(-1);
  const first = done.length > 1 ? done[0] : undefined;
  const difference = compare(last?.evaluation ?? base, first?.evaluation ?? base);
  const summary: Summary = {
    recipe: recipe.name,
    version: packageVersion(),
    seed: recipe.seed,
    executor: engine.executor.name,
    fingerprint: engine.executor.fingerprint,
    base,
    arms: done,
    difference: { ...difference, of: [last?.name ?? 'base', first?.name ?? 'base'] },
  };
  await writeAtomically(join(out, 'summary.json'), [`${JSON.stringify(summary, null, 2)}\n`]);
  return summary;
}
