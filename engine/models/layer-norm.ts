/** @file LayerNorm with its gradient given by hand. Depends on tensor operations only. */
import type { GradSaveFunc } from '@tensorflow/tfjs';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/** (x − mean) / √(variance + ε) · weight + bias over the last axis. All float32. */
export function layerNorm(x_ND: Tensor, weight_D: Tensor, bias_D: Tensor, epsilon: number): Tensor {
  return ops.customGrad((x, weight, bias, save) => {
    const centred_ND = ops.sub(x as Tensor, ops.mean(x as Tensor, -1, true));
    const scale_N1 = ops.rsqrt(ops.add(ops.mean(ops.square(centred_ND), -1, true), epsilon));
    const unit_ND = ops.mul(centred_ND, scale_N1);
    (save as GradSaveFunc)([scale_N1, unit_ND, weight as Tensor]);
    return { value: ops.add(ops.mul(unit_ND, weight as Tensor), bias as Tensor), gradFunc };
  })(x_ND, weight_D, bias_D);
}

function gradFunc(dy_ND: Tensor, saved: Tensor[]): Tensor[] {
  const [scale_N1, unit_ND, weight_D] = saved as [Tensor, Tensor, Tensor];
  const dUnit_ND = ops.mul(dy_ND, weight_D);
  const along_N1 = ops.mean(ops.mul(dUnit_ND, unit_ND), -1, true);
  const centred_ND = ops.sub(dUnit_ND, ops.mean(dUnit_ND, -1, true));
  return [
    ops.mul(scale_N1, ops.sub(centred_ND, ops.mul(unit_ND, along_N1))),
    ops.sum(ops.mul(dy_ND, unit_ND), 0),
    ops.sum(dy_ND, 0),
  ];
}
