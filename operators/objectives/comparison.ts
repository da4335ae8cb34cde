/** @file What the losses of a batch compare with, made once per batch: a reference's log-probabilities, and settings. */
import type { Completion, PackedBatch } from '../../datasets/index.js';
import type { Engine, Value } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import type { Objectives } from '../config.js';
import type { BatchFeed } from '../feed.js';
import type { Model } from '../model.js';
import { referenceLogProbabilities, type Comparison } from './pair-losses.js';
import { comparedCompletions, settingsOf, type Aims, type PairLoss } from './pair-objectives.js';
import { uploadScalars } from '../scalars.js';

/**
 * Runs the reference, where a loss compares with one, and uploads the losses' settings.
 * @param reference parameters of the reference, which has no adapters.
 * @throws LABELS_UNPAIRED where a row lacks a completion that is compared.
 */
export async function comparisonOf(
  engine: Engine,
  model: Model,
  reference: Readonly<Record<string, Value>>,
  batch: PackedBatch,
  feed: BatchFeed,
  {
    aims,
    names,
    objectives,
  }: { aims: Aims; names: readonly PairLoss[]; objectives?: Objectives | undefined },
): Promise<Comparison<Value>> {
  const compared = comparedCompletions(names, aims);
  const settings = uploadScalars(engine, settingsOf(names, objectives));
  if (compared.length === 0) return { reference: {}, settings };
  for (const completion of compared) requireEveryRow(batch, completion);
  const definition = referenceLogProbabilities(model, compared);
  return { reference: await engine.run(definition, { parameters: reference, batch: feed }), settings };
}

function requireEveryRow(batch: PackedBatch, completion: Completion): void {
  const labels = batch.labels[completion];
  const rows = new Set<number>();
  labels?.index.forEach((index, at) => {
    if (labels.weights[at] !== 0) rows.add(Math.floor(index / batch.length));
  });
  if (rows.size < batch.rows)
    complain({
      code: 'LABELS_UNPAIRED',
      owner: 'losses that compare completions',
      expected: `a ${completion} completion in each of ${batch.rows} rows`,
      got: `${rows.size}`,
      hint: "give every example that completion, packed with layout: 'packed'",
    });
}
