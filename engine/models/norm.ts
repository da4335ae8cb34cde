/** @file The norm that a configuration names. Depends on tensor operations only. */
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { layerNorm } from './layer-norm.js';
import type { Norm } from './model-config.js';
import { rmsNorm } from './rms-norm.js';
import { parameter } from './weights.js';

/** x [N,D] normalised with the parameters below `path`. */
export function normalised(
  { kind, epsilon, offset }: Norm,
  parameters: Named,
  path: string,
  x_ND: Tensor,
): Tensor {
  const stored_D = parameter(parameters, `${path}.weight`);
  const weight_D = offset === 0 ? stored_D : ops.add(stored_D, offset);
  return kind === 'rms'
    ? rmsNorm(x_ND, weight_D, epsilon)
    : layerNorm(x_ND, weight_D, parameter(parameters, `${path}.bias`), epsilon);
}
