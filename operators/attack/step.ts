/** @file One step of an attack's parameters against their gradient. Knows nothing about models, losses or balls. */
import {
  adamwScalars,
  adamwUpdate,
  float32,
  groupNorms,
  ops,
  type AdamWScalars,
  type Grouping,
  type HostTensor,
  type Named,
  type Tensor,
} from '../../engine/index.js';
import type { AttackConfig } from '../config.js';
import type { PerturbationState } from '../perturbation.js';

/** The numbers of one step, as scalars. */
export type StepScalars<T = Tensor> = AdamWScalars<T> | { readonly learningRate: T };

/** @param step the first is 1. */
export function stepScalars(step: number, config: AttackConfig): StepScalars<HostTensor> {
  if ((config.step ?? 'adamw') === 'adamw') return adamwScalars(step, config);
  return { learningRate: float32([], [config.learningRate]) };
}

/** The state after a step, not projected. @param grouping of a parameter's gradient that `normalized` takes to length 1. */
export function stepped(
  state: PerturbationState<Tensor>,
  gradients: Named,
  scalars: StepScalars,
  step: 'adamw' | 'sign' | 'normalized',
  grouping: Grouping,
): PerturbationState<Tensor> {
  if (!('learningRate' in scalars)) {
    const next = adamwUpdate(state.parameters, gradients, { first: state.m, second: state.v }, scalars);
    return { parameters: next.parameters, m: next.moments.first, v: next.moments.second };
  }
  const direction = (gradient: Tensor): Tensor =>
    step === 'sign' ? ops.sign(gradient) : ops.div(gradient, groupNorms(gradient, grouping));
  const parameters = Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => [
      name,
      ops.sub(state.parameters[name] as Tensor, ops.mul(direction(gradient), scalars.learningRate)),
    ]),
  );
  return { parameters, m: {}, v: {} };
}

/**
 * Scales each row's gradients by min(1, clip / their norm), all parameters of the row together.
 * @param share of each row in the loss: its norm is that of the row's own mean loss. [B]
 */
export function clipRows(gradients: Named, clip: Tensor, share_B: Tensor): Named {
  const squares = Object.values(gradients).map((gradient) => ops.sum(ops.square(gradient), [1, 2], true));
  const share_B11 = ops.reshape(share_B, [-1, 1, 1]);
  const limit_B11 = ops.mul(clip, share_B11);
  const norm_B11 = ops.sqrt(squares.reduce(ops.add));
  const factor = ops.minimum(1, ops.div(limit_B11, ops.maximum(norm_B11, 1e-30)));
  return Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => [name, ops.mul(gradient, factor)]),
  );
}
