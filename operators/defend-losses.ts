/** @file The losses of a defence on one part of a batch: under the perturbation, and on benign rows without it. */
import { hiddenStates, logitsAt, ops, type Tensor } from '../engine/index.js';
import type { BatchFeed, BatchTensors, LabelFeed } from './feed.js';
import { labelOdds } from './label-odds.js';
import { kl, toward } from './losses.js';
import type { Model, ModelWeights } from './model.js';
import { decoderWeights, pairLosses, type Comparison } from './pair-losses.js';
import { DEFENCE_AIMS, isPairLoss, PAIR_LOSSES } from './pair-objectives.js';
import type { PerSite } from './perturbation.js';

/** The losses that a defence knows, in the order in which it reports them. */
export const DEFENCE_LOSSES = [...PAIR_LOSSES, 'sft', 'kl'] as const;
export type DefenceLoss = (typeof DEFENCE_LOSSES)[number];

/** One part of a batch: pair rows under their perturbation (no sites: without one), benign rows without any. */
export type PartArgs<T = Tensor> = {
  readonly pairs: Readonly<Record<string, T>> | BatchFeed<T>;
  readonly deltas: PerSite<T>;
  readonly comparison: Comparison<T>;
  readonly benign: Readonly<Record<string, T>> | BatchFeed<T>;
  /** Log-probabilities of the base model at the benign rows' anchors, [N, V]; empty without kl. */
  readonly base: Readonly<Record<string, T>>;
};

/** Keeps 0/0 away where the kl term is divided by its own value. */
export const KL_GUARD = 1e-8;

export function pairTerms(
  model: Model,
  weights: ModelWeights<Tensor>,
  part: PartArgs,
  losses: readonly DefenceLoss[],
): Record<string, Tensor> {
  const names = losses.filter(isPairLoss);
  if (names.length === 0) return {};
  return pairLosses(
    model,
    weights,
    part.pairs as BatchTensors,
    part.deltas,
    DEFENCE_AIMS,
    names,
    part.comparison,
  );
}

export function benignLosses(
  model: Model,
  weights: ModelWeights<Tensor>,
  part: PartArgs,
  losses: readonly DefenceLoss[],
): Record<string, Tensor> {
  const benign = part.benign as BatchTensors;
  const found: Record<string, Tensor> = {};
  if (!losses.includes('sft') && !losses.includes('kl')) return found;
  const hidden = hiddenStates(model, decoderWeights(model, weights), benign);
  if (losses.includes('sft')) {
    const labels = benign.labels['desired'] as LabelFeed<Tensor>;
    const labelled = ops.gather(hidden, labels.index);
    found['sft'] = toward(labelOdds(model.config, weights.parameters, labelled, labels.tokens), labels);
  }
  if (losses.includes('kl')) {
    const { index, weights: shares } = benign.labels['anchors'] as LabelFeed<Tensor>;
    const logits = logitsAt(model.config, weights.parameters, hidden, index);
    found['kl'] = kl(logits, part.base['logProbabilities'] as Tensor, shares);
  }
  return found;
}

/** Logits [N, V] of benign rows at their anchors. */
export function anchorLogits(model: Model, weights: ModelWeights<Tensor>, benign: BatchTensors): Tensor {
  const hidden = hiddenStates(model, decoderWeights(model, weights), benign);
  const { index } = benign.labels['anchors'] as LabelFeed<Tensor>;
  return logitsAt(model.config, weights.parameters, hidden, index);
}

/** x divided by its own value, which is not differentiated: the published form of the kl term. */
export function perOwnValue(x: Tensor): Tensor {
  const divide = ops.customGrad((...inputs: unknown[]) => {
    const [value, save] = inputs as [Tensor, (tensors: Tensor[]) => void];
    const size = ops.add(value, KL_GUARD);
    save([size]);
    return {
      value: ops.div(value, size),
      gradFunc: (dy: Tensor, saved: Tensor[]): Tensor => ops.div(dy, saved[0] as Tensor),
    };
  });
  return divide(x);
}
