/** @file Tells tfjs tensors from trees of them. */
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from './ops.js';

/** True for a leaf of a tree of tensors. */
export function isTensor(node: unknown): node is Tensor {
  return node instanceof tf.Tensor;
}
