/** @file The losses of a defence on one part of a batch: under the perturbation, and on benign rows without it. */
import { hiddenStates, logitsAt, ops, type Tensor } from '../../engine/index.js';
import type { BatchFeed, BatchTensors, LabelFeed } from '../feed.js';
import { labelOdds } from '../objectives/label-odds.js';
import { forwardKl, kl, toward } from '../objectives/losses.js';
import type { Model, ModelWeights } from '../model.js';
import { decoderWeights, pairLosses, type Comparison } from '../objectives/pair-losses.js';
import { DEFENCE_AIMS, isPairLoss, PAIR_LOSSES } from '../objectives/pair-objectives.js';
import type { PerSite } from '../perturbation.js';
import { residualAfter, squaredDistance } from '../objectives/steering.js';

/** The losses that a defence knows, in the order in which it reports them. */
export const DEFENCE_LOSSES = [...PAIR_LOSSES, 'rmu', 'retain', 'sft', 'kl', 'forwardKl'] as const;
export type DefenceLoss = (typeof DEFENCE_LOSSES)[number];

/** Whether a loss is on pair rows, under the perturbation; the others are on benign rows. */
export function isOfPairs(name: DefenceLoss): boolean {
  return name === 'rmu' || isPairLoss(name);
}

/** Whether a loss reads activations after a block, and nothing above it. */
export function isSteering(name: DefenceLoss): boolean {
  return name === 'rmu' || name === 'retain';
}

/** One part of a batch: pair rows under their perturbation (no sites: without one), benign rows without any. */
export type PartArgs<T = Tensor> = {
  readonly pairs: Readonly<Record<string, T>> | BatchFeed<T>;
  readonly deltas: PerSite<T>;
  readonly comparison: Comparison<T>;
  readonly benign: Readonly<Record<string, T>> | BatchFeed<T>;
  /** What `rmu` and `retain` need: `control` [D], position weights `forget` and `keep` [B, T], `base` [B, T, D]. */
  readonly steering: Readonly<Partial<Record<'control' | 'forget' | 'keep' | 'base', T>>>;
  /** Log-probabilities of the base model on benign rows, [N, V]: at the anchors for `kl`, at the labels for `forwardKl`. */
  readonly base: Readonly<Partial<Record<'anchors' | 'desired', T>>>;
};

/** The label set of benign rows at which a loss compares whole distributions with the base model's. */
export const COMPARED_AT = { kl: 'anchors', forwardKl: 'desired' } as const;

/** Keeps 0/0 away where the kl term is divided by its own value. */
export const KL_GUARD = 1e-8;

/** Losses on pair rows. @param layer after which `rmu` reads activations. */
export function pairTerms(
  model: Model,
  layer: number,
  weights: ModelWeights<Tensor>,
  part: PartArgs,
  losses: readonly DefenceLoss[],
): Record<string, Tensor> {
  const [pairs, names] = [part.pairs as BatchTensors, losses.filter(isPairLoss)];
  const found =
    names.length === 0
      ? {}
      : pairLosses(model, weights, pairs, part.deltas, DEFENCE_AIMS, names, part.comparison);
  if (!losses.includes('rmu')) return found;
  const { control, forget } = part.steering as Record<string, Tensor>;
  const x_BTD = residualAfter(model, layer, weights, pairs, part.deltas);
  return { ...found, rmu: squaredDistance(x_BTD, control as Tensor, forget as Tensor) };
}

/** Losses on benign rows. @param layer after which `retain` reads activations. */
export function benignLosses(
  model: Model,
  layer: number,
  weights: ModelWeights<Tensor>,
  part: PartArgs,
  losses: readonly DefenceLoss[],
): Record<string, Tensor> {
  const benign = part.benign as BatchTensors;
  const found: Record<string, Tensor> = {};
  if (losses.includes('retain')) {
    const { base, keep } = part.steering as Record<string, Tensor>;
    const x_BTD = residualAfter(model, layer, weights, benign);
    found['retain'] = squaredDistance(x_BTD, base as Tensor, keep as Tensor);
  }
  if (losses.every(isSteering)) return found;
  const hidden = hiddenStates(model, decoderWeights(model, weights), benign);
  if (losses.includes('sft')) {
    const labels = benign.labels['desired'] as LabelFeed<Tensor>;
    const labelled = ops.gather(hidden, labels.index);
    found['sft'] = toward(labelOdds(model.config, weights.parameters, labelled, labels.tokens), labels);
  }
  for (const [name, set] of Object.entries(COMPARED_AT)) {
    if (!losses.includes(name as DefenceLoss)) continue;
    const { index, weights: shares } = benign.labels[set] as LabelFeed<Tensor>;
    const logits = logitsAt(model.config, weights.parameters, hidden, index);
    found[name] = (name === 'kl' ? kl : forwardKl)(logits, part.base[set] as Tensor, shares);
  }
  return found;
}

/** Logits [N, V] of benign rows at a label set. */
export function benignLogits(
  model: Model,
  weights: ModelWeights<Tensor>,
  benign: BatchTensors,
  set: 'anchors' | 'desired',
): Tensor {
  const hidden = hiddenStates(model, decoderWeights(model, weights), benign);
  const { index } = benign.labels[set] as LabelFeed<Tensor>;
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
