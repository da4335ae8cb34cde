/** @file Projection onto the L2 ball, per token or example, inside programs. Depends on tensor operations only. */
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/** Keeps 0/0 away; far below any norm that float32 squares can show. */
const TINY = 1e-30;

/** ‖δ‖₂ of every vector along the last axis, kept as an axis of length 1. */
export function tokenNorms(delta: Tensor): Tensor {
  return ops.sqrt(ops.sum(ops.square(delta), -1, true));
}

/**
 * δ / max(1, ‖δ‖/ε) for every vector along the last axis: inside the ball nothing changes, not one bit.
 * @param delta [..., D]. @param epsilon scalar ≥ 0; 0 gives exactly 0.
 */
export function projectToBall(delta: Tensor, epsilon: Tensor): Tensor {
  const bound = ops.maximum(ops.maximum(tokenNorms(delta), epsilon), TINY);
  return ops.mul(delta, ops.div(epsilon, bound));
}

/** What a norm is taken over: a token's vector, or all vectors of an example. */
export type Grouping = 'token' | 'example';

/**
 * ‖δ‖₂ of every group; its gradient at δ = 0 is 0.
 * @param delta [B, P, D]. @returns [B, P, 1] per token, [B, 1, 1] per example.
 */
export function groupNorms(delta: Tensor, per: Grouping): Tensor {
  return ops.sqrt(ops.maximum(ops.sum(ops.square(delta), per === 'token' ? [2] : [1, 2], true), TINY));
}

/** {@link projectToBall} by groups, and differentiable everywhere. @param delta [B, P, D]. @param epsilon scalar ≥ 0. */
export function projectGroups(delta: Tensor, epsilon: Tensor, per: Grouping): Tensor {
  const bound = ops.maximum(ops.maximum(groupNorms(delta, per), epsilon), TINY);
  return ops.mul(delta, ops.div(epsilon, bound));
}
