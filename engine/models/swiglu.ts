/** @file The gated activation of Llama's MLP with its gradient given by hand. Depends on tensor operations only. */
import type { GradSaveFunc } from '@tensorflow/tfjs';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/** silu(gate) · up, elementwise; silu(g) = g·σ(g). Both float32 of one shape. */
export function swiglu(gate_NF: Tensor, up_NF: Tensor): Tensor {
  return ops.customGrad((gate, up, save) => {
    const sigmoid = ops.sigmoid(gate as Tensor);
    const silu = ops.mul(gate as Tensor, sigmoid);
    const value = ops.mul(silu, up as Tensor);
    (save as GradSaveFunc)([sigmoid, silu, up as Tensor, value]);
    return { value, gradFunc };
  })(gate_NF, up_NF);
}

/** silu′·up = (σ + silu·(1 − σ))·up = y + σ·(up − y): four products and sums instead of six. */
function gradFunc(dy: Tensor, saved: Tensor[]): Tensor[] {
  const [sigmoid, silu, up, y] = saved as [Tensor, Tensor, Tensor, Tensor];
  const slope = ops.add(y, ops.mul(sigmoid, ops.sub(up, y)));
  return [ops.mul(dy, slope), ops.mul(dy, silu)];
}
