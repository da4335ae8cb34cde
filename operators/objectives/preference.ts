/**
 * @file Losses that compare a model's log-probabilities of whole completions with a reference's, as tensor programs.
 * One value per row; nothing is known about models, batches, or who the reference is.
 */
import { ops, type Tensor } from '../../engine/index.js';

// B row. A log-ratio is log π(completion) − log π_reference(completion), summed over the completion's tokens.

/**
 * Direct preference optimization with conservative labels (Rafailov et al. 2023, arXiv 2305.18290; label smoothing as in
 * Mitchell's note on cDPO): −(1−s)·log σ(β·h) − s·log σ(−β·h), ln 2 at h = 0.
 * @param margins_B h: the preferred completion's log-ratio minus the other's.
 * @param beta scalar > 0. @param smoothing scalar s in [0, ½): how often the preference is taken to be wrong.
 * @returns float32 [B].
 */
export function dpo(margins_B: Tensor, beta: Tensor, smoothing: Tensor): Tensor {
  const scaled_B = ops.mul(beta, margins_B);
  // −log σ(−x) = x − log σ(x), so both terms share one softplus.
  return ops.add(ops.softplus(ops.neg(scaled_B)), ops.mul(smoothing, scaled_B));
}

/**
 * Identity preference optimization (Azar et al. 2023, arXiv 2310.12036): (h − 1/(2β))², which stops pulling once the
 * margin is 1/(2β).
 * @param margins_B as for {@link dpo}. @param beta scalar > 0.
 * @returns float32 [B].
 */
export function ipo(margins_B: Tensor, beta: Tensor): Tensor {
  return ops.square(ops.sub(margins_B, ops.div(ops.scalar(0.5), beta)));
}

/**
 * Negative preference optimization (Zhang et al. 2024, arXiv 2404.05868): −(2/β)·log σ(−β·r). As β → 0 its gradient
 * becomes that of r, which is gradient ascent on the completion's cross-entropy.
 * @param ratios_B r: the log-ratios of what is to be unlearned. @param beta scalar > 0.
 * @returns float32 [B].
 */
export function npo(ratios_B: Tensor, beta: Tensor): Tensor {
  return ops.mul(ops.div(ops.scalar(2), beta), ops.softplus(ops.mul(beta, ratios_B)));
}
