/** @file A smooth bound on scores and logits. Depends on tensor operations only. */
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/** cap·tanh(x / cap), or x without a cap. */
export function softCapped(x: Tensor, cap: number | null): Tensor {
  return cap === null ? x : ops.mul(ops.tanh(ops.div(x, cap)), cap);
}
