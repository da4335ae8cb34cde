/**
 * @file Losses on logits at labelled positions, as tensor programs. Every loss is a weighted sum over labels, so
 * that parts of a batch add up to the whole. Knows nothing about models, batches or perturbations.
 */
import { ops, type Tensor } from '../../engine/index.js';

/** Labels whose log-probability is below this are left out of `away`: pushing them further down teaches nothing. */
export const AWAY_FLOOR = -5;

/** Labels as a program sees them. */
export interface Labels {
  /** Token ids. int32 [N] */
  readonly tokens: Tensor;
  /** Weights; 0 on padding. float32 [N] */
  readonly weights: Tensor;
}

/**
 * The log-odds of each label, log p/(1−p): its logit minus the log-sum-exp of all *other* logits. One pass of
 * exponentials, exact where p is close to 0 or to 1, and all that `toward` and `away` need to know.
 * @param logits float32 [N, V].
 * @param tokens int32 [N].
 * @returns float32 [N].
 */
export function logOdds(logits: Tensor, tokens: Tensor): Tensor {
  const compute = ops.customGrad((...inputs: unknown[]) => {
    const [x, save] = inputs as [Tensor, (tensors: Tensor[]) => void];
    const { odds, slopes } = oddsAndSlopes(x, tokens);
    save([slopes]);
    const gradFunc = (dy: Tensor, [kept]: Tensor[]): Tensor => ops.mul(ops.expandDims(dy, 1), kept as Tensor);
    return { value: odds, gradFunc };
  });
  return compute(logits);
}

/** Log-odds [N] of labels and their gradients [N, V] for the logits: 1 for the label, minus the softmax over the others elsewhere. */
export function oddsAndSlopes(
  logits: Tensor,
  tokens: Tensor,
): { readonly odds: Tensor; readonly slopes: Tensor } {
  const [labels, vocabulary] = logits.shape as [number, number];
  // Sums with them, not a choice: the runtime chooses on one thread, ten times slower. Both are cheap to make, so loops do not hold them.
  const labelled = (value: number): Tensor => ops.oneHot(tokens, vocabulary, value, 0, 'float32');
  // A label's own logit, picked by its flat index rather than by a product over the vocabulary.
  const rows = ops.mul(ops.range(0, labels, 1, 'int32'), ops.scalar(vocabulary, 'int32'));
  const own = ops.gather(ops.reshape(logits, [labels * vocabulary]), ops.add(rows, tokens));
  const others = ops.sub(logits, labelled(1e30));
  const top = ops.max(others, 1, true);
  const exponentials = ops.exp(ops.sub(others, top));
  const total = ops.sum(exponentials, 1, true);
  const rest = ops.reshape(ops.add(ops.log(total), top), [labels]);
  return {
    odds: ops.sub(own, rest),
    slopes: ops.sub(labelled(1), ops.mul(exponentials, ops.reciprocal(total))),
  };
}

/**
 * Cross-entropy, Σ weight·(−log p), of labels given by their log-odds.
 * @returns a scalar.
 */
export function toward(odds: Tensor, labels: Labels): Tensor {
  return ops.sum(ops.mul(labels.weights, ops.softplus(ops.neg(odds))));
}

/**
 * Σ weight·(−log(1−p)) over labels with log p ≥ {@link AWAY_FLOOR}; the others contribute nothing, but count in
 * the weights (Mazeika et al. 2024, arXiv 2402.04249; as used in arXiv 2407.15549).
 * @returns a scalar.
 */
export function away(odds: Tensor, labels: Labels): Tensor {
  const logProbability = ops.neg(ops.softplus(ops.neg(odds)));
  const kept = ops.cast(ops.greaterEqual(logProbability, ops.scalar(AWAY_FLOOR)), 'float32');
  return ops.sum(ops.mul(ops.mul(labels.weights, kept), ops.softplus(odds)));
}

/**
 * Divergence of the model from the base in its usual form, KL(base‖model) = Σ_V p_base·(log p_base − log p), the loss of
 * distillation: a weighted sum over labels.
 * @param logits of the model that is trained. float32 [N, V]
 * @param base log-probabilities of the base model. float32 [N, V]
 * @param weights 1 / labels in the whole batch; 0 on padding. float32 [N]
 * @returns a scalar.
 */
export function forwardKl(logits: Tensor, base: Tensor, weights: Tensor): Tensor {
  const terms = ops.mul(ops.exp(base), ops.sub(base, ops.logSoftmax(logits)));
  return ops.sum(ops.mul(weights, ops.sum(terms, 1)));
}

/**
 * Divergence from the base model in the published form: the mean over positions *and vocabulary* of
 * p·(log p − log p_base).
 * @param logits of the model that is trained. float32 [N, V]
 * @param base log-probabilities of the base model. float32 [N, V]
 * @param weights 1 / positions in the whole batch; 0 on padding. float32 [N]
 * @returns a scalar.
 */
export function kl(logits: Tensor, base: Tensor, weights: Tensor): Tensor {
  const vocabulary = logits.shape[1] as number;
  const logProbabilities = ops.logSoftmax(logits);
  const terms = ops.mul(ops.exp(logProbabilities), ops.sub(logProbabilities, base));
  return ops.div(ops.sum(ops.mul(weights, ops.sum(terms, 1))), ops.scalar(vocabulary));
}
