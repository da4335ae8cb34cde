/** @file Weights inside programs, and the linear modules that use them. Depends on tensor operations only. */
import { complain } from '../../foundation/index.js';
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import type { Linear } from './modules.js';

/** Weights by Hugging Face name, and adapters by module (`….q_proj.lora_A` [rank,in], `….lora_B` [out,rank]). */
export interface Weights {
  readonly parameters: Named;
  readonly adapters?: Named;
  /** alpha / rank; 1 where it is not given. */
  readonly adapterScale?: number | Tensor;
}

/** x·Wᵀ (+ bias) (+ scale·(x·Aᵀ)·Bᵀ where the module has an adapter). @param block path of the module's block. */
export function linear(weights: Weights, block: string, module: Linear, x_ND: Tensor): Tensor {
  const name = `${block}.${module.path}`;
  const weight = parameter(weights.parameters, `${name}.weight`);
  let y = ops.matMul(x_ND, weight, false, !module.inputsFirst);
  if (module.bias) y = ops.add(y, parameter(weights.parameters, `${name}.bias`));
  const down = weights.adapters?.[`${name}.lora_A`];
  const up = weights.adapters?.[`${name}.lora_B`];
  if (!down || !up) return y;
  const inner_Nr = ops.mul(ops.matMul(x_ND, down, false, true), weights.adapterScale ?? 1);
  return ops.add(y, ops.matMul(inner_Nr, up, false, true));
}

/** A parameter by name. @throws MODEL_MISSING_PARAMETER */
export function parameter(parameters: Named, name: string): Tensor {
  return (
    parameters[name] ??
    complain({
      code: 'MODEL_MISSING_PARAMETER',
      owner: 'decoder',
      expected: `a parameter named ${name}`,
      got: `${Object.keys(parameters).length} others`,
      hint: 'pass all parameters of the model',
    })
  );
}
