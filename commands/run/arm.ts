/** @file One arm of a job: its stages made from the recipe, its weights written when it is done. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { saveModel, writeAdapters } from '../../engine/models/index.js';
import { writeAtomically } from '../../formats/index.js';
import {
  checkpointStore,
  createDefender,
  evaluate,
  run,
  type CheckpointStore,
  type Defender,
  type Evaluation,
  type Questions,
  type RunEnd,
  type RunParts,
  type Subject,
} from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import type { Control, Recorder } from '../../streams/index.js';
import { askable } from './askable.js';
import { attackOf } from './attack-of.js';
import { batchesOf } from './batches.js';
import { copyCompanions } from './companions.js';
import { AskedSettings, SettingsJournal } from './live-settings.js';
import { weightsDirectory } from './places.js';
import { poolOf } from './pool-of.js';
import { Scored } from './scored.js';
import { baseWeights, downloaded, type Stage } from './stage.js';

/** What an arm needs from the job around it. */
export interface ArmHost {
  readonly control: Control;
  readonly record: Recorder;
  /** Resolves when what was recorded is on disk: a checkpoint must not be ahead of it. */
  readonly recorded: () => Promise<void>;
  readonly note: (text: string) => void;
  /** Changes that are asked for while it trains. */
  readonly asked?: AskedSettings | undefined;
}

/** An arm that is ready to run. */
export interface Arm {
  readonly defender: Defender;
  readonly subject: Subject;
  readonly parts: RunParts;
}

/**
 * Makes the stages of an arm.
 * @param recipe the arm's own: see `recipeOfArm`. @param directory where its checkpoints go.
 * @throws what making attack and defender throws, such as SITE_UNKNOWN
 */
export function createArm(
  recipe: Recipe,
  stage: Stage,
  questions: Questions,
  directory: string,
  host: ArmHost,
): Arm {
  const { engine } = stage;
  const { note } = host;
  const { seed, steps, defend, attack, checkpoint, evaluate: asked } = recipe;
  const defender = createDefender(engine, { config: stage.config }, defend, {
    weights: baseWeights(stage),
    updates: steps * defend.iterations,
    seed,
  });
  const { model } = defender;
  const subject = askable(recipe, stage, model, () => defender.weights());
  const scored = new Scored(checkpoint.best?.metric, host.record, note);
  const settings = new SettingsJournal(directory, host.asked ?? new AskedSettings());
  const warn = oncePerGist(note);
  return {
    defender,
    subject,
    parts: {
      seed,
      steps,
      microbatches: defend.microbatches,
      batches: (from) => batchesOf(recipe, stage, from, note),
      pool: poolOf(recipe, stage, subject, warn),
      attack:
        attack &&
        settings.attack(attack.epsilon, (epsilon) =>
          attackOf({ ...attack, epsilon }, model, recipe, stage, { reference: defender.base() }),
        ),
      epsilon: attack?.epsilon,
      defender,
      evaluate: hasQuestions(questions)
        ? (signal) => evaluate(subject, questions, asked, { limit: asked.during, signal })
        : null,
      every: { evaluate: asked.every, checkpoint: checkpoint.every },
      checkpoints: checkpointsIn(directory, recipe, scored, host),
      settings,
      programs: () => engine.stats().live,
      fingerprint: { executor: engine.executor.name, ...engine.executor.fingerprint },
      control: host.control,
      record: scored.record,
      note,
      warn,
    },
  };
}

/** Checkpoints with their score, behind what was recorded before them. */
function checkpointsIn(
  directory: string,
  { checkpoint }: Recipe,
  scored: Scored,
  { recorded, note }: ArmHost,
): CheckpointStore {
  const store = checkpointStore({ ...checkpoint, directory: join(directory, 'checkpoints'), warn: note });
  const save: CheckpointStore['save'] = async (content) => {
    await recorded();
    return store.save({ ...content, ...scored.at(content.step) });
  };
  return { ...store, save };
}

/** Figures differ from step to step: what was said about a site once need not be said again. */
function oncePerGist(note: (text: string) => void): (text: string) => void {
  const warned = new Set<string>();
  return (text) => {
    const gist = text.replace(/[\d.]+/g, '#');
    if (!warned.has(gist)) note(text);
    warned.add(gist);
  };
}

/** Trains an arm to its end, then writes its weights into `directory`. */
export async function trainArm(arm: Arm, recipe: Recipe, stage: Stage, directory: string): Promise<RunEnd> {
  const end = await run(arm.parts);
  if (end.finished) await writeWeights(arm.defender, recipe, stage, directory);
  return end;
}

/** True where there is anything to ask. */
export function hasQuestions({ harmful, benign, probes, choices, quality }: Questions): boolean {
  return harmful.length + benign.length + quality.length + Object.keys({ ...probes, ...choices }).length > 0;
}

/**
 * The whole evaluation of a subject, with every answer in `answers.jsonl`.
 * @throws the signal's reason where it stops.
 */
export async function evaluateInto(
  directory: string,
  subject: Subject,
  recipe: Recipe,
  questions: Questions,
  signal: AbortSignal,
): Promise<Evaluation> {
  const answers: string[] = [];
  const evaluation = await evaluate(subject, questions, recipe.evaluate, {
    signal,
    onAnswer: (record) => answers.push(`${JSON.stringify(record)}\n`),
  });
  await mkdir(directory, { recursive: true });
  await writeAtomically(join(directory, 'answers.jsonl'), [answers.join('')]);
  return evaluation;
}

async function writeWeights(
  defender: Defender,
  recipe: Recipe,
  stage: Stage,
  directory: string,
): Promise<void> {
  const { train } = recipe.defend;
  const target = weightsDirectory(recipe, directory);
  await mkdir(target, { recursive: true });
  const { parameters, adapters } = defender.weights();
  if (train.kind === 'adapters') {
    const { model } = recipe;
    const base =
      model.kind === 'directory' ? model.path : model.kind === 'run' ? join(model.path, model.arm) : '';
    await writeAdapters(
      target,
      stage.config,
      { lora: train, adapters: await downloaded(stage, adapters) },
      base,
    );
    return;
  }
  await saveModel(target, { config: stage.config, parameters: await downloaded(stage, parameters) });
  await copyCompanions(stage.directory, target);
}
