/** @file AdamW with PyTorch's semantics, on named tensors inside programs. Depends on tensor operations only. */
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { float32, type HostTensor } from '../tensor.js';

/** Settings of AdamW. */
export interface AdamWConfig {
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly adamEpsilon: number;
  readonly weightDecay: number;
}

/** Running means of gradients and of their squares, by parameter name. */
export interface Moments<T> {
  readonly first: Readonly<Record<string, T>>;
  readonly second: Readonly<Record<string, T>>;
}

/** The numbers of one update, as scalars: everything that may change from step to step is here. */
export type AdamWScalars<T> = Readonly<
  Record<'keep' | 'stepSize' | 'rootCorrection' | 'beta1' | 'fresh1' | 'beta2' | 'fresh2' | 'epsilon', T>
>;

/**
 * The scalars of step `step` (the first is 1), computed in double precision on the host.
 * `keep` = 1 − lr·decay, `stepSize` = lr / (1 − β₁ᵗ), `rootCorrection` = 1 / √(1 − β₂ᵗ).
 */
export function adamwScalars(step: number, config: AdamWConfig): AdamWScalars<HostTensor> {
  const [beta1, beta2] = config.betas;
  const scalar = (value: number): HostTensor => float32([], [value]);
  return {
    keep: scalar(1 - config.learningRate * config.weightDecay),
    stepSize: scalar(config.learningRate / (1 - beta1 ** step)),
    rootCorrection: scalar(1 / Math.sqrt(1 - beta2 ** step)),
    beta1: scalar(beta1),
    fresh1: scalar(1 - beta1),
    beta2: scalar(beta2),
    fresh2: scalar(1 - beta2),
    epsilon: scalar(config.adamEpsilon),
  };
}

/** Zero moments for tensors of these shapes. */
export function adamwInit(
  parameters: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): Moments<HostTensor> {
  const zeros = (): Record<string, HostTensor> =>
    Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, float32(shape)]));
  return { first: zeros(), second: zeros() };
}

/**
 * One update of every parameter that has a gradient (torch.optim.AdamW: decay decoupled and applied first, ε outside the
 * corrected root). Parameters without a gradient are not in the result.
 */
export function adamwUpdate(
  parameters: Named,
  gradients: Named,
  moments: Moments<Tensor>,
  scalars: AdamWScalars<Tensor>,
): { readonly parameters: Named; readonly moments: Moments<Tensor> } {
  const updated: Record<string, Tensor> = {};
  const first: Record<string, Tensor> = {};
  const second: Record<string, Tensor> = {};
  for (const [name, gradient] of Object.entries(gradients)) {
    const mean = ops.add(
      ops.mul(moments.first[name] as Tensor, scalars.beta1),
      ops.mul(gradient, scalars.fresh1),
    );
    const square = ops.add(
      ops.mul(moments.second[name] as Tensor, scalars.beta2),
      ops.mul(ops.square(gradient), scalars.fresh2),
    );
    const size = ops.add(ops.mul(ops.sqrt(square), scalars.rootCorrection), scalars.epsilon);
    updated[name] = ops.sub(
      ops.mul(parameters[name] as Tensor, scalars.keep),
      ops.mul(ops.div(mean, size), scalars.stepSize),
    );
    first[name] = mean;
    second[name] = square;
  }
  return { parameters: updated, moments: { first, second } };
}
