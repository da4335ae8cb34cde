/** @file The gated activation of Llama's MLP with its gradient given by hand. Depends on tensor operations only. */
import type { GradSaveFunc } from '@tensorflow/tfjs';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/** silu(gate) · up, elementwise; silu(g) = g·σ(g). Both float32 of one shape. */
export function swiglu(gate_NF: Tensor, up_NF: Tensor): Tensor {
  return ops.customGrad((gate, up, save) => {
    const sigmoid = ops.sigmoid(gate as Tensor);
    const silu = ops.mul(gate as Tensor, sigmoid);
    (save as GradSaveFunc)([sigmoid, silu, up as Tensor]);
    return { value: ops.mul(silu, up as Tensor), gradFunc };
  })(gate_NF, up_NF);
}

/** silu′ = σ + silu·(1 − σ). */
function gradFunc(dy: Tensor, saved: Tensor[]): Tensor[] {
  const [sigmoid, silu, up] = saved as [Tensor, Tensor, Tensor];
  const slope = ops.add(sigmoid, ops.mul(silu, ops.sub(1, sigmoid)));
  return [ops.mul(ops.mul(dy, up), slope), ops.mul(dy, silu)];
}
