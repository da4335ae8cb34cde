/** @file What a run has left so far, read for a report; changes nothing, and works while the run goes on. */
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { LatstreamError } from '../../foundation/index.js';
import { History, metricsIn } from '../../monitor/index.js';
import type { AnswerRecord, Evaluation, Passes } from '../../operators/index.js';
import { NO_PASSES, OUTCOMES } from '../../operators/light/index.js';
import type { Recipe } from '../../recipes/index.js';
import type { Compute, ModelRecord, RunRecord } from '../../report/index.js';
import type { Metric } from '../../streams/index.js';
import { corruptPart, METRICS, parsedPart, readRecipe, SUMMARY } from './directory.js';
import { keptEvaluation } from './kept.js';

/** Measurements of each kind that a curve keeps. */
const CURVE = 240;
/** Requests whose answers are shown. */
const SHOWN = 3;

/** @throws RUN_MISSING, RUN_CORRUPT, and what checking its recipe throws */
export async function readRun(directory: string): Promise<RunRecord> {
  const { out, recipe } = await readRecipe(directory);
  const names = ['base', ...Object.keys(recipe.arms)];
  const measured = await measuredIn(out, recipe, names);
  const models: ModelRecord[] = [];
  for (const name of names) {
    const evaluation = await evaluationIn(join(out, name));
    const answers = evaluation ? await answersIn(join(out, name), evaluation) : [];
    const { course, ...rest } = measured.get(name) as Measured;
    models.push({ name, ...(evaluation && { evaluation }), answers, metrics: byKind(course), ...rest });
  }
  const fingerprint = await fingerprintIn(out);
  return {
    directory,
    recipe,
    experiment: await experimentOf(recipe, out),
    models,
    ...(fingerprint && { fingerprint }),
  };
}

/** The recipe without its seed, and without where it was run, or the run that its model is of: what that is an experiment of counts. */
async function experimentOf(recipe: Recipe, out: string): Promise<string> {
  const whole = { ...recipe, seed: 0, model: await originOf(recipe.model) };
  const text = JSON.stringify(whole).replaceAll(JSON.stringify(out).slice(1, -1), '@out');
  // A directory that was moved since is still that of the same experiment.
  return recipe.synthetic === null ? text : text.replace(/"[^"]*[/\\]synthetic/g, '"@out/synthetic');
}

async function originOf(model: Recipe['model']): Promise<object> {
  if (model.kind !== 'run') return model;
  try {
    const { out, recipe } = await readRecipe(model.path);
    return { kind: 'run', arm: model.arm, of: await experimentOf(recipe, out) };
  } catch (error) {
    if (error instanceof LatstreamError) return model; // it may be gone by now
    throw error;
  }
}

async function evaluationIn(directory: string): Promise<Evaluation | undefined> {
  const path = join(directory, 'evaluation.json');
  return existsSync(path) ? keptEvaluation(await readFile(path, 'utf8'), path) : undefined;
}

const summary = z.object({
  executor: z.string(),
  /** Missing in runs from before it was written. */
  version: z.string().exactOptional(),
  fingerprint: z.record(z.string(), z.union([z.string(), z.number()])),
});

async function fingerprintIn(out: string): Promise<RunRecord['fingerprint']> {
  const path = join(out, SUMMARY);
  if (!existsSync(path)) return undefined;
  const { data, error } = summary.safeParse(parsedPart(await readFile(path, 'utf8'), path));
  if (!data) return corruptPart(path, 'a summary', error.issues[0]?.message ?? 'unlike one');
  const { executor, version, fingerprint } = data;
  return { ...(version !== undefined && { latstream: version }), executor, ...fingerprint };
}

interface Measured {
  readonly course: History;
  readonly steps: number;
  readonly compute: Compute;
}

/** Every model's measurements: curves thinned out, what training took added up. */
async function measuredIn(
  out: string,
  recipe: Recipe,
  names: readonly string[],
): Promise<ReadonlyMap<string, Measured>> {
  const found = new Map<string, Measured>(
    names.map((name) => [name, { course: new History(CURVE), steps: 0, compute: { seconds: 0 } }]),
  );
  const path = join(out, METRICS);
  if (!existsSync(path)) return found;
  for await (const metric of metricsIn(path)) {
    const name = metric.run.slice(recipe.name.length + 1);
    const before = found.get(name);
    if (!before) continue;
    before.course.add(metric);
    if (metric.kind === 'throughput')
      found.set(name, { ...before, steps: metric.step, compute: computeAfter(before.compute, metric) });
  }
  return found;
}

function computeAfter({ seconds }: Compute, { values }: Metric): Compute {
  const { secondsPerStep = 0, peakMegabytes } = values;
  const counted = Object.keys(NO_PASSES).every((name) => Number.isFinite(values[name]));
  const passes = Object.fromEntries(
    Object.keys(NO_PASSES).map((name) => [name, values[name]]),
  ) as unknown as Passes;
  return {
    seconds: seconds + secondsPerStep,
    ...(counted && { passes }),
    ...(peakMegabytes !== undefined && { peakMegabytes }),
  };
}

function byKind(course: History): ModelRecord['metrics'] {
  const all = course.after(-1);
  const kinds = ['attack', 'pool', 'defend', 'evaluate', 'throughput'] as const;
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const metrics = all.filter((metric) => metric.kind === kind);
      return metrics.length > 0 ? [[kind, metrics]] : [];
    }),
  );
}

const answer = z.object({
  under: z.string(),
  index: z.int().min(0),
  request: z.string(),
  given: z.string(),
  generated: z.string(),
  expected: z.string(),
  outcome: z.enum(OUTCOMES),
});

/** Characters of an answer that are shown. */
const LONGEST = 1200;

/** Answers to a few requests, evenly spaced in the table, under every attack. Lines that are no answers are passed over. */
async function answersIn(directory: string, { attacks }: Evaluation): Promise<AnswerRecord[]> {
  const path = join(directory, 'answers.jsonl');
  if (!existsSync(path)) return [];
  const asked = Math.max(0, ...Object.values(attacks).map(({ n }) => n));
  const chosen = new Set(Array.from({ length: SHOWN }, (_, at) => Math.floor((at * asked) / SHOWN)));
  const found: AnswerRecord[] = [];
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const { data } = answer.safeParse(jsonIn(line));
    if (data && chosen.has(data.index) && data.under in attacks) found.push(clipped(data));
  }
  return found;
}

function clipped(record: AnswerRecord): AnswerRecord {
  const clip = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  return {
    ...record,
    request: clip(record.request),
    given: clip(record.given),
    generated: clip(record.generated),
  };
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
