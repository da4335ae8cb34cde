/** @file RMSNorm with its gradient given by hand. Depends on tensor operations only. */
import type { GradSaveFunc } from '@tensorflow/tfjs';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/**
 * x / √(mean(x²) + ε) · weight over the last axis.
 * @param x_ND float32. @param weight_D float32.
 * The gradient by hand keeps x̂ and 1/√… only; the tape would also differentiate the square and the mean.
 */
export function rmsNorm(x_ND: Tensor, weight_D: Tensor, epsilon: number): Tensor {
  return ops.customGrad((x, weight, save) => {
    const scale_N1 = ops.rsqrt(ops.add(ops.mean(ops.square(x as Tensor), -1, true), epsilon));
    const unit_ND = ops.mul(x as Tensor, scale_N1);
    (save as GradSaveFunc)([scale_N1, unit_ND, weight as Tensor]);
    return { value: ops.mul(unit_ND, weight as Tensor), gradFunc };
  })(x_ND, weight_D);
}

function gradFunc(dy_ND: Tensor, saved: Tensor[]): Tensor[] {
  const [scale_N1, unit_ND, weight_D] = saved as [Tensor, Tensor, Tensor];
  const dUnit_ND = ops.mul(dy_ND, weight_D);
  const along_N1 = ops.mean(ops.mul(dUnit_ND, unit_ND), -1, true);
  return [
    ops.mul(scale_N1, ops.sub(dUnit_ND, ops.mul(unit_ND, along_N1))),
    ops.sum(ops.mul(dy_ND, unit_ND), 0),
  ];
}
