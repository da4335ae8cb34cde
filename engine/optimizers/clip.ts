/** @file Gradient clipping by global norm, inside programs. Depends on tensor operations only. */
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/** √ of the sum of all squares of all tensors: a scalar. */
export function globalNorm(tensors: Named): Tensor {
  return ops.sqrt(ops.addN(Object.values(tensors).map((tensor) => ops.sum(ops.square(tensor)))));
}

/**
 * Scales all gradients by min(1, maxNorm / (norm + 1e-6)), as `torch.nn.utils.clip_grad_norm_` does.
 * @param maxNorm scalar. @returns the norm before clipping as well.
 */
export function clipByGlobalNorm(
  gradients: Named,
  maxNorm: Tensor,
): { readonly gradients: Named; readonly norm: Tensor } {
  const norm = globalNorm(gradients);
  const factor = ops.minimum(1, ops.div(maxNorm, ops.add(norm, 1e-6)));
  return {
    norm,
    gradients: Object.fromEntries(
      Object.entries(gradients).map(([name, gradient]) => [name, ops.mul(gradient, factor)]),
    ),
  };
}
