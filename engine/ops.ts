/**
 * @file The closed list of tensor operations that programs are written with: public tfjs operations that
 * every executor can run. Anything else has no lowering and fails when a program is traced.
 */
import * as tf from '@tensorflow/tfjs';

/** A tensor inside a program (symbolic while tracing, real on the `tfjs` executor). */
export type Tensor = tf.Tensor;

export {
  abs,
  add,
  addN,
  argMax,
  broadcastTo,
  cast,
  clipByValue,
  concat,
  cos,
  customGrad,
  div,
  equal,
  erf,
  exp,
  expandDims,
  fill,
  gather,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  logSoftmax,
  logSumExp,
  matMul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  neg,
  notEqual,
  oneHot,
  ones,
  onesLike,
  pad,
  pow,
  range,
  reciprocal,
  relu,
  reshape,
  rsqrt,
  scalar,
  sigmoid,
  sign,
  sin,
  slice,
  softmax,
  softplus,
  split,
  sqrt,
  square,
  squeeze,
  stack,
  sub,
  sum,
  tanh,
  tensor1d,
  tensor2d,
  tile,
  transpose,
  unsortedSegmentSum,
  unstack,
  where,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs';

/**
 * The same tensor, marked as a place from which what follows can be computed anew (see `recompute.ts`).
 * @param number consecutive along a forward pass.
 */
export function boundary(x: Tensor, number: number): Tensor {
  return tf.engine().runKernel<Tensor>('Identity', { x }, { boundary: number });
}
