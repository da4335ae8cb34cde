/** @file The batches of a recipe. Knows nothing about arms. */
import {
  datasetOf,
  openSource,
  trainingBatches,
  type Cursor,
  type DatasetRole,
  type PackOptions,
  type TrainingBatch,
} from '../../datasets/index.js';
import type { Recipe } from '../../recipes/index.js';
import { appendedText } from './proxy.js';
import type { Stage } from './stage.js';

/** Endless batches of a recipe after a cursor. Paths are absolute. */
export function batchesOf(
  recipe: Recipe,
  stage: Stage,
  from: Cursor | undefined,
  note: (text: string) => void = () => undefined,
): AsyncIterable<TrainingBatch> {
  const { data, seed } = recipe;
  const config = {
    pairs: chosen(data.pairs, 'pairs'),
    ...(data.desired && { desired: chosen(data.desired, 'desired') }),
    ...(data.benign && { benign: chosen(data.benign, 'benign') }),
    batchSize: data.pairsPerBatch,
    benignBatchSize: data.benignPerBatch,
    context: Math.min(data.context ?? Infinity, stage.config.contextLength),
    overflow: data.overflow,
    ...(data.absent && { absent: data.absent }),
    ...(data.appended && { appended: appendedText(data) }),
    ...(data.system !== null && { system: data.system }),
    ...(data.turns && { turns: data.turns }),
    encoding: { threads: data.threads ?? 1, ...(data.cache && { cache: { directory: data.cache, note } }) },
    ...packing(recipe),
    shuffleRows: data.shuffleRows,
    prefetch: data.prefetch,
  };
  // The schema leaves column names open; which ones a table must have is the datasets' business.
  return trainingBatches(config as unknown as Parameters<typeof trainingBatches>[0], stage.template, {
    seed,
    open: openSource,
    ...(from && { from }),
  });
}

/** How pairs are packed. */
export function packing({ data, attack }: Recipe): PackOptions {
  const { padding, minimum } = data;
  return { ...(attack && { attacked: attack.segments }), padding, minimum };
}

function chosen(datasets: Recipe['data']['pairs'], role: DatasetRole): unknown {
  return Array.isArray(datasets) ? datasets.map((each) => datasetOf(each, role)) : datasetOf(datasets, role);
}
