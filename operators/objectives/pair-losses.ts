/** @file Losses of packed pair rows: one forward, logits at labelled positions only, whichever completion is wanted. */
import type { Completion, PackedBatch } from '../../datasets/index.js';
import {
  hiddenStates,
  ops,
  perturbing,
  type Definition,
  type Tensor,
  type Weights,
} from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import type { BatchTensors, LabelFeed } from '../feed.js';
import { labelOdds } from './label-odds.js';
import { programName, type Model, type ModelWeights } from '../model.js';
import { aimsOf, objective, type Aims, type PairLoss } from './pair-objectives.js';

// B row, N label, T column, P slot, D width

/** What losses compare with, and how: nothing where none does. */
export type Comparison<T = Tensor> = {
  /** Log-probabilities of completions under the reference, [B] each, as {@link referenceLogProbabilities} finds them. */
  readonly reference: Readonly<Partial<Record<Completion, T>>>;
  /** Scalars by loss and name: `dpo.beta`. */
  readonly settings: Readonly<Record<string, T>>;
};

const NOTHING: Comparison = { reference: {}, settings: {} };

/** Weights as the decoder takes them; no adapters rather than empty ones. */
export function decoderWeights(model: Model, weights: ModelWeights<Tensor>): Weights {
  return Object.keys(weights.adapters).length === 0
    ? { parameters: weights.parameters }
    : { ...weights, adapterScale: model.adapterScale ?? 1 };
}

/**
 * The losses by name, each a scalar without a coefficient, under a perturbation.
 * @param deltas [B, P, D] by site; none for the model as it is.
 * @param comparison for the losses that compare with a reference.
 */
export function pairLosses(
  model: Model,
  weights: ModelWeights<Tensor>,
  batch: BatchTensors,
  deltas: Readonly<Record<string, Tensor>>,
  aims: Aims,
  names: readonly PairLoss[],
  comparison: Comparison = NOTHING,
): Record<string, Tensor> {
  const completions = aimsOf(names).map((aim) => aims[aim]);
  const odds = completionOdds(model, weights, batch, deltas, completions);
  const labels = (completion: Completion): LabelFeed<Tensor> => batch.labels[completion] as LabelFeed<Tensor>;
  const found = {
    odds: (aim: keyof Aims) => odds[aims[aim]] as Tensor,
    labels: (aim: keyof Aims) => labels(aims[aim]),
    ratios: (aim: keyof Aims) =>
      ops.sub(
        sequenceLogProbabilities(odds[aims[aim]] as Tensor, labels(aims[aim]), batch),
        comparison.reference[aims[aim]] as Tensor,
      ),
    mean: (x_B: Tensor) => ops.sum(ops.mul(batch.rowWeight, x_B)),
  };
  return Object.fromEntries(names.map((name) => [name, objective(name, found, comparison.settings)]));
}

/** The log-odds [N] of completions' labels; one forward and one product with the head for all. */
function completionOdds(
  model: Model,
  weights: ModelWeights<Tensor>,
  batch: BatchTensors,
  deltas: Readonly<Record<string, Tensor>>,
  completions: readonly Completion[],
): Partial<Record<Completion, Tensor>> {
  const hidden = hiddenStates(
    model,
    decoderWeights(model, weights),
    batch,
    Object.keys(deltas).length === 0 ? undefined : perturbing(deltas, batch.slots),
  );
  const sets = completions.map((completion) => batch.labels[completion] as LabelFeed<Tensor>);
  const joined = (part: 'index' | 'tokens'): Tensor => {
    const parts = sets.map((set) => set[part]);
    return parts.length === 1 ? (parts[0] as Tensor) : ops.concat(parts, 0);
  };
  const labelled = ops.gather(hidden, joined('index'));
  const odds = labelOdds(model.config, weights.parameters, labelled, joined('tokens'));
  let start = 0;
  return Object.fromEntries(
    completions.map((completion, at) => {
      const [size] = (sets[at] as LabelFeed<Tensor>).index.shape as [number];
      const own = completions.length === 1 ? odds : ops.slice(odds, [start], [size]);
      start += size;
      return [completion, own];
    }),
  );
}

/** log π of each row's completion [B]: the sum of its labels' log-probabilities, padded labels left out. */
function sequenceLogProbabilities(
  odds_N: Tensor,
  { index, weights }: LabelFeed<Tensor>,
  batch: BatchTensors,
): Tensor {
  const [rows, columns] = batch.tokens.shape as [number, number];
  const firsts_B1 = ops.expandDims(ops.mul(ops.range(0, rows, 1, 'int32'), ops.scalar(columns, 'int32')), 1);
  const offsets_BN = ops.sub(ops.expandDims(index, 0), firsts_B1);
  const inRow_BN = ops.logicalAnd(
    ops.greaterEqual(offsets_BN, ops.scalar(0, 'int32')),
    ops.less(offsets_BN, ops.scalar(columns, 'int32')),
  );
  const counted_BN = ops.logicalAnd(inRow_BN, ops.notEqual(ops.expandDims(weights, 0), ops.scalar(0)));
  const logProbabilities_N = ops.neg(ops.softplus(ops.neg(odds_N)));
  return ops.sum(ops.mul(ops.cast(counted_BN, 'float32'), ops.expandDims(logProbabilities_N, 0)), 1);
}

/**
 * Log-probabilities [B] of completions under a reference: parameters without adapters, and without a perturbation.
 * The reference never moves with what is trained or attacked, so this is run once per batch.
 */
export function referenceLogProbabilities(
  model: Model,
  completions: readonly Completion[],
): Definition<
  { readonly parameters: Readonly<Record<string, Tensor>>; readonly batch: BatchTensors },
  Readonly<Partial<Record<Completion, Tensor>>>
> {
  return {
    name: programName('reference', model, [completions]),
    compute: ({ parameters, batch }) => {
      const odds = completionOdds(model, { parameters, adapters: {} }, batch, {}, completions);
      return Object.fromEntries(
        completions.map((completion) => [
          completion,
          sequenceLogProbabilities(
            odds[completion] as Tensor,
            batch.labels[completion] as LabelFeed<Tensor>,
            batch,
          ),
        ]),
      );
    },
  };
}

/** Σ coefficient·loss over the losses that have a coefficient; a scalar. */
export function weighted(
  losses: Readonly<Record<string, Tensor>>,
  coefficients: Readonly<Record<string, Tensor>>,
): Tensor {
  const terms = Object.entries(losses).map(([name, loss]) => ops.mul(coefficients[name] as Tensor, loss));
  return terms.length === 1 ? (terms[0] as Tensor) : ops.addN(terms);
}

/** @throws LABELS_MISSING where a batch has no labels for a completion that losses are about. */
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
