/** @file A run's metrics on disk: written by its own process, ahead of every checkpoint; read by whoever shows them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { metricsIn, openRecord, untilStep, type MetricRecord } from '../../monitor/index.js';
import { checkpointStore } from '../../operators/light/index.js';
import type { Recipe } from '../../recipes/index.js';
import type { Metric } from '../../streams/index.js';
import { METRICS } from './directory.js';

/** A record to go on with, and what a former process has written of evaluations. */
export interface RunRecord extends MetricRecord {
  /** @param part as in `tiny/lat` */
  readonly hasEvaluation: (part: string, step: number) => boolean;
}

/** Opens the record to go on with it: what will be measured again is dropped first. @throws RECORD_WRITE */
export async function openRunRecord(recipe: Recipe, out: string): Promise<RunRecord> {
  const isKept = await unrepeated(recipe, out);
  const evaluated = new Set<string>();
  const record = await openRecord(join(out, METRICS), (metric) => {
    const keep = isKept(metric);
    if (keep && metric.kind === 'evaluate') evaluated.add(`${metric.run} ${metric.step}`);
    return keep;
  });
  return Object.assign(record, {
    hasEvaluation: (part: string, step: number) => evaluated.has(`${part} ${step}`),
  });
}

/** The metrics of a run so far, without those that will be measured again. */
export async function* recorded(recipe: Recipe, out: string): AsyncGenerator<Metric> {
  const path = join(out, METRICS);
  if (!existsSync(path)) return;
  const keep = await unrepeated(recipe, out);
  for await (const metric of metricsIn(path)) if (keep(metric)) yield metric;
}

/** Steps after an unfinished arm's newest checkpoint will be done, and measured, again. */
async function unrepeated(recipe: Recipe, out: string): Promise<(metric: Metric) => boolean> {
  const kept: ((metric: Metric) => boolean)[] = [];
  for (const arm of [...(recipe.prepare ? ['prepare'] : []), ...Object.keys(recipe.arms)]) {
    if (existsSync(join(out, arm, 'evaluation.json'))) continue;
    const directory = join(out, arm, 'checkpoints');
    const checkpoint = await checkpointStore({ directory, keep: 1, warn: () => undefined }).latest();
    kept.push(untilStep(`${recipe.name}/${arm}`, checkpoint?.step ?? 0));
  }
  return (metric) => kept.every((keep) => keep(metric));
}
