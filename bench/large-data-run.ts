/** @file One measured part of `large-data`, in a process of its own: the pipeline alone, or training with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArm } from '../commands/run/arm.js';
import { batchesOf } from '../commands/run/batches.js';
import { placed } from '../commands/run/places.js';
import { openRecipe, type Stage } from '../commands/run/stage.js';
import { openSource, type Cursor, type DatasetCursor, type TrainingBatch } from '../datasets/index.js';
import { NO_QUESTIONS, run } from '../operators/index.js';
import { GROUP_ROWS } from './large-data-file.js';
import { recipeOfArm, RECIPES, type Recipe } from '../recipes/index.js';
import { Control } from '../streams/index.js';

/** Steps, and how many of them are the last: those begin with a seek to the last row group. */
const STEPS = 320;
const AFTER_SEEK = 40;
const BATCHES = 4000;

/** What a part of the measurement prints, as JSON. */
export interface Part {
  readonly seconds: number;
  readonly steps: number;
  /** Median step, and the mean time that a step waited for its batch. */
  readonly stepSeconds: number;
  readonly waitSeconds: number;
  /** Of the process since its start. */
  readonly peakBytes: number;
  /** First row given after the seek, in order. */
  readonly soughtRow?: number;
}

function tinyRecipe(): Recipe {
  const make = RECIPES['tiny'];
  if (!make) throw new Error('no recipe tiny');
  return make();
}

/**
 * Runs a part. @param path the large file; without one the small tables of the recipe, to compare with.
 */
export async function runPart(kind: 'pipeline' | 'train', path?: string): Promise<Part> {
  const out = await mkdtemp(join(tmpdir(), 'latstream-large-run-'));
  const tiny = tinyRecipe();
  const pairs = { path, columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired' } };
  const data =
    path === undefined ? tiny.data : { ...tiny.data, pairs: { ...pairs, path }, shuffleRows: 8192 };
  const recipe = placed(recipeOfArm({ ...tiny, data, steps: STEPS }, 'lat'), out);
  const stage = await openRecipe(recipe, out);
  try {
    return await (kind === 'train' ? train(recipe, stage, out, path) : pipeline(recipe, stage));
  } finally {
    await stage.dispose();
    await rm(out, { recursive: true, force: true });
  }
}

async function pipeline(recipe: Recipe, stage: Stage): Promise<Part> {
  let steps = 0;
  let began = 0;
  for await (const _batch of batchesOf(recipe, stage, undefined)) {
    if (steps === 0) began = performance.now();
    if (++steps > BATCHES) break;
  }
  const seconds = (performance.now() - began) / 1000;
  return { seconds, steps: BATCHES, stepSeconds: seconds / BATCHES, waitSeconds: 0, peakBytes: peak() };
}

async function train(recipe: Recipe, stage: Stage, out: string, path?: string): Promise<Part> {
  const seconds: number[] = [];
  const waits: number[] = [];
  let sought: Cursor | undefined;
  const arm = createArm(recipe, stage, NO_QUESTIONS, out, {
    control: new Control(),
    note: () => undefined,
    recorded: () => Promise.resolve(),
    record: (step, kind, values) => {
      if (kind === 'throughput') seconds.push(values['secondsPerStep'] ?? 0);
      return { run: 'large-data', sequence: 0, time: 0, step, kind, values };
    },
  });
  async function* batches(): AsyncGenerator<TrainingBatch> {
    const timed = async function* (
      source: AsyncIterable<TrainingBatch>,
      most: number,
    ): AsyncGenerator<TrainingBatch> {
      let began = performance.now();
      let given = 0;
      for await (const batch of source) {
        waits.push((performance.now() - began) / 1000);
        sought = batch.cursor;
        yield batch;
        if (++given >= most) return;
        began = performance.now();
      }
    };
    yield* timed(batchesOf(recipe, stage, undefined), STEPS - AFTER_SEEK);
    const inOrder = { ...recipe, data: { ...recipe.data, shuffleRows: 0 } };
    const from = path === undefined ? undefined : await lastGroup(inOrder, stage, path);
    yield* timed(batchesOf(inOrder, stage, from), AFTER_SEEK);
  }
  const began = performance.now();
  await run({ ...arm.parts, batches, evaluate: null, every: { evaluate: 0, checkpoint: 0 } });
  const whole = (performance.now() - began) / 1000;
  const sorted = [...seconds].sort((a, b) => a - b);
  const { position } = (sought?.pairs ?? {}) as Partial<DatasetCursor>;
  return {
    seconds: whole,
    steps: seconds.length,
    stepSeconds: sorted[Math.floor(sorted.length / 2)] ?? 0,
    waitSeconds: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    peakBytes: peak(),
    ...(position !== undefined && { soughtRow: position - AFTER_SEEK * recipe.data.pairsPerBatch }),
  };
}

/** A cursor that stands before the file's last row group, of whatever order the file is read in. */
async function lastGroup(recipe: Recipe, stage: Stage, path: string): Promise<Cursor> {
  const source = await openSource(path);
  const position = GROUP_ROWS * Math.floor((source.rows - 1) / GROUP_ROWS);
  await source.close();
  for await (const { cursor } of batchesOf(recipe, stage, undefined))
    return { ...cursor, pairs: { ...(cursor.pairs as DatasetCursor), epoch: 0, position } };
  throw new Error('a dataset without batches');
}

function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}
