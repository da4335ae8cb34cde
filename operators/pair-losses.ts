/** @file Losses of packed pair rows: one forward, logits at labelled positions only, whichever completion is wanted. */
import type { Completion, PackedBatch } from '../datasets/index.js';
import { hiddenStates, ops, perturbing, type Tensor, type Weights } from '../engine/index.js';
import { complain } from '../foundation/index.js';
import type { BatchTensors, LabelFeed } from './feed.js';
import { labelOdds } from './label-odds.js';
import { away, toward } from './losses.js';
import type { Model, ModelWeights } from './model.js';

/** Which completion each loss is about. */
export type Aims = Readonly<Record<'toward' | 'away', Completion>>;

/** An attack goes toward the adversarial completion and away from the desired one. */
export const ATTACK_AIMS: Aims = { toward: 'adversarial', away: 'desired' };
/** A defence, the other way round. */
export const DEFENCE_AIMS: Aims = { toward: 'desired', away: 'adversarial' };

const LOSSES = { toward, away };

/** Weights as the decoder takes them; no adapters rather than empty ones. */
export function decoderWeights(model: Model, weights: ModelWeights<Tensor>): Weights {
  return Object.keys(weights.adapters).length === 0
    ? { parameters: weights.parameters }
    : { ...weights, adapterScale: model.adapterScale ?? 1 };
}

/**
 * The losses by name, each without a coefficient, under a perturbation.
 * @param names `toward`, `away`. @param deltas [B, P, D] by site; none for the model as it is.
 */
export function pairLosses(
  model: Model,
  weights: ModelWeights<Tensor>,
  batch: BatchTensors,
  deltas: Readonly<Record<string, Tensor>>,
  aims: Aims,
  names: readonly string[],
): Record<string, Tensor> {
  const hidden = hiddenStates(
    model,
    decoderWeights(model, weights),
    batch,
    Object.keys(deltas).length === 0 ? undefined : perturbing(deltas, batch.slots),
  );
  const used = (Object.keys(LOSSES) as (keyof Aims)[]).filter((name) => names.includes(name));
  const sets = used.map((name) => batch.labels[aims[name]] as LabelFeed<Tensor>);
  const joined = (part: 'index' | 'tokens'): Tensor => {
    const parts = sets.map((set) => set[part]);
    return parts.length === 1 ? (parts[0] as Tensor) : ops.concat(parts, 0);
  };
  const labelled = ops.gather(hidden, joined('index'));
  const odds = labelOdds(model.config, weights.parameters, labelled, joined('tokens'));
  const losses: Record<string, Tensor> = {};
  let start = 0;
  used.forEach((name, at) => {
    const labels = sets[at] as LabelFeed<Tensor>;
    const size = labels.index.shape[0];
    losses[name] = LOSSES[name](used.length === 1 ? odds : ops.slice(odds, [start], [size]), labels);
    start += size;
  });
  return losses;
}

/** Σ coefficient·loss over the losses that have a coefficient; a scalar. */
export function weighted(
  losses: Readonly<Record<string, Tensor>>,
  coefficients: Readonly<Record<string, Tensor>>,
): Tensor {
  const terms = Object.entries(losses).map(([name, loss]) => ops.mul(coefficients[name] as Tensor, loss));
  return terms.length === 1 ? (terms[0] as Tensor) : ops.addN(terms);
}

/** @throws LABELS_MISSING where a batch has no labels for a loss that is asked for. */
export function requireLabels(owner: string, batch: PackedBatch, needed: readonly Completion[]): void {
  for (const completion of needed)
    if (!batch.labels[completion])
      complain({
        code: 'LABELS_MISSING',
        owner,
        expected: `labels for the ${completion} completion`,
        got: Object.keys(batch.labels).join(', ') || 'none',
        hint: 'use data with that completion, or remove the loss',
      });
}
