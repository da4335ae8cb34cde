/** @file The losses of a defence on one part of a batch: under the perturbation, and on benign rows without it. */
import { hiddenStates, logitsAt, ops, type Tensor } from '../engine/index.js';
import type { BatchFeed, BatchTensors, LabelFeed } from './feed.js';
import { kl, logOdds, toward } from './losses.js';
import type { Model, ModelWeights } from './model.js';
import { decoderWeights, DEFENCE_AIMS, pairLosses } from './pair-losses.js';
import type { PerSite } from './perturbation.js';

/** The losses that a defence knows, in the order in which it reports them. */
export const DEFENCE_LOSSES = ['toward', 'away', 'sft', 'kl'] as const;
export type DefenceLoss = (typeof DEFENCE_LOSSES)[number];

/** One part of a batch: pair rows under their perturbation (no sites: without one), benign rows without any. */
export type PartArgs<T = Tensor> = {
  readonly pairs: Readonly<Record<string, T>> | BatchFeed<T>;
  readonly deltas: PerSite<T>;
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
  const names = losses.filter((name) => name === 'toward' || name === 'away');
  if (names.length === 0) return {};
  return pairLosses(model, weights, part.pairs as BatchTensors, part.deltas, DEFENCE_AIMS, names);
}

export function benignLosses(
  model: Model,
  weights: ModelWeights<Tensor>,
  part: PartArgs,
  losses: readonly DefenceLoss[],
): Record<string, Tensor> {
  const benign = part.benign as BatchTensors;
  const sets = [
    ...(losses.includes('sft') ? ['desired'] : []),
    ...(losses.includes('kl') ? ['anchors'] : []),
  ];
  if (sets.length === 0) return {};
  const logits = benignLogits(model, weights, benign, sets);
  const [total, vocabulary] = logits.shape as [number, number];
  const found: Record<string, Tensor> = {};
  let start = 0;
  for (const set of sets) {
    const labels = benign.labels[set] as LabelFeed<Tensor>;
    const size = labels.index.shape[0];
    const own = size === total ? logits : ops.slice(logits, [start, 0], [size, vocabulary]);
    if (set === 'desired') found['sft'] = toward(logOdds(own, labels.tokens), labels);
    else found['kl'] = kl(own, part.base['logProbabilities'] as Tensor, labels.weights);
    start += size;
  }
  return found;
}

/** One forward of benign rows, logits of the label sets one after the other. */
export function benignLogits(
  model: Model,
  weights: ModelWeights<Tensor>,
  benign: BatchTensors,
  sets: readonly string[],
): Tensor {
  const indices = sets.map((set) => (benign.labels[set] as LabelFeed<Tensor>).index);
  const index = indices.length === 1 ? (indices[0] as Tensor) : ops.concat(indices, 0);
  const hidden = hiddenStates(model, decoderWeights(model, weights), benign);
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
