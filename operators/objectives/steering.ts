/**
 * @file Representation misdirection for unlearning (RMU; Li et al. 2024, arXiv 2403.03218): activations of what is to be
 * forgotten are steered to a fixed random vector, those of what is to be kept are held where the base model has them.
 * Nothing above the layer where they are read is computed. Knows nothing about optimizers or other losses.
 */
import { SEGMENT, type PackedBatch } from '../../datasets/index.js';
import {
  blockPath,
  embeddingName,
  float32,
  hiddenStates,
  ops,
  perturbing,
  type HostTensor,
  type ModelConfig,
  type Tensor,
} from '../../engine/index.js';
import { draws } from '../../foundation/index.js';
import type { BatchTensors } from '../feed.js';
import type { Model, ModelWeights } from '../model.js';
import { decoderWeights } from './pair-losses.js';
import type { PerSite } from '../perturbation.js';

// B row, T column, D width

/** Norm of the vector that is steered to: what the paper uses for Zephyr-7b. */
export const CONTROL_NORM = 6.5;

/** The residual stream [B,T,D] after block `layer`, by a model that ends there. */
export function residualAfter(
  model: Model,
  layer: number,
  weights: ModelWeights<Tensor>,
  batch: BatchTensors,
  deltas: PerSite<Tensor> = {},
): Tensor {
  const truncated = { ...model, config: { ...model.config, layers: layer + 1 } };
  const perturb = perturbing(deltas, batch.slots);
  let residual: Tensor | undefined;
  hiddenStates(truncated, decoderWeights(model, weights), batch, (site, x_BTD) => {
    const perturbed = perturb(site, x_BTD);
    if (site === `layers.${layer}.residual`) residual = perturbed;
    return perturbed;
  });
  return residual as Tensor;
}

/**
 * Σ weight·mean_D (x − target)²: the mean squared distance over the positions that have a weight.
 * @param target an activation [B,T,D], or one vector [D] for all. @param weights_BT see {@link positionWeights}.
 * @returns a scalar.
 */
export function squaredDistance(x_BTD: Tensor, target: Tensor, weights_BT: Tensor): Tensor {
  return ops.sum(ops.mul(weights_BT, ops.mean(ops.square(ops.sub(x_BTD, target)), 2)));
}

/** The vector [D] that is steered to: uniform in [0, 1) as published, then scaled to `norm`; a function of the seed. */
export function controlVector(width: number, norm: number, seed: number): HostTensor {
  const random = draws(seed, 'rmu-control');
  const values = Array.from({ length: width }, () => random.uniform());
  const scale = norm / Math.hypot(...values);
  return float32(
    [width],
    values.map((value) => value * scale),
  );
}

/**
 * What each position weighs in a mean over rows of means over their own positions. [B·T]; the parts of a batch add up.
 * @param completion whose tokens count, with the prompt's. @param padding counts too, as in the published code.
 */
export function positionWeights(
  batch: PackedBatch,
  completion: 'adversarial' | 'desired',
  padding: boolean,
): Float32Array {
  const counts = (segment: number): boolean =>
    segment === SEGMENT.prompt || segment === SEGMENT[completion] || (padding && segment === SEGMENT.padding);
  const weights = new Float32Array(batch.rows * batch.length);
  for (let start = 0; start < weights.length; start += batch.length) {
    const own = batch.segments.subarray(start, start + batch.length);
    const size = own.reduce((count, segment) => count + (counts(segment) ? 1 : 0), 0);
    own.forEach((segment, at) => {
      if (counts(segment)) weights[start + at] = batch.rowWeight / size;
    });
  }
  return weights;
}

/** Whether a parameter or adapter plays a part in the residual stream after block `layer`. */
export function reaches({ modules, layers }: ModelConfig, layer: number, name: string): boolean {
  const within = (block: number): boolean => name.startsWith(`${blockPath(modules, block)}.`);
  if (Array.from({ length: layer + 1 }, (_, block) => block).some(within)) return true;
  if (Array.from({ length: layers - layer - 1 }, (_, above) => layer + 1 + above).some(within)) return false;
  return (
    name === embeddingName(modules) ||
    (modules.positions !== null && name.startsWith(`${modules.base}.${modules.positions}.`))
  );
}
