/** @file Low-rank adapters (LoRA): names, first values, merging. Knows nothing about files. */
import { complain, draws } from '../../foundation/index.js';
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import { float32, type HostTensor } from '../tensor.js';
import type { ModelConfig } from './config.js';
import type { Weights } from './decoder.js';
import { PROJECTIONS, projectionShape, type Projection } from './parameters.js';

/** Which projections have adapters, and of what rank; their output is scaled by alpha / rank. */
export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly projections: readonly string[];
}

/** alpha / rank. */
export function adapterScale({ alpha, rank }: LoraConfig): number {
  return alpha / rank;
}

/** A projection by its name; `q` stands for `q_proj`. @throws LORA_UNKNOWN_PROJECTION */
export function parseProjection(name: string): Projection {
  const known = Object.keys(PROJECTIONS) as Projection[];
  return (
    known.find((projection) => projection === name || projection === `${name}_proj`) ??
    complain({
      code: 'LORA_UNKNOWN_PROJECTION',
      owner: 'adapters',
      expected: `projections among ${known.join(', ')}`,
      got: JSON.stringify(name),
      hint: 'name projections of the block',
    })
  );
}

/** Paths of the adapted projections (`model.layers.0.self_attn.q_proj`), layer by layer. @throws LORA_UNKNOWN_PROJECTION */
export function adapterNames(config: ModelConfig, projections: readonly string[]): string[] {
  const chosen = projections.map(parseProjection);
  return Array.from({ length: config.layers }, (_, layer) =>
    chosen.map((projection) => `model.layers.${layer}.${PROJECTIONS[projection]}.${projection}`),
  ).flat();
}

/** Shapes of all adapter tensors by name: `….lora_A` [rank, in], `….lora_B` [out, rank]. */
export function adapterShapes(
  config: ModelConfig,
  { rank, projections }: Pick<LoraConfig, 'rank' | 'projections'>,
): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  for (const name of adapterNames(config, projections)) {
    const [outputs, inputs] = projectionShape(config, name.split('.').at(-1) as Projection);
    shapes[`${name}.lora_A`] = [rank, inputs];
    shapes[`${name}.lora_B`] = [outputs, rank];
  }
  return shapes;
}

/** Fresh adapters as PEFT makes them: A uniform in ±1/√in (Kaiming, a = √5), B zero, so that they change nothing yet. */
export function initialAdapters(
  config: ModelConfig,
  lora: Pick<LoraConfig, 'rank' | 'projections'>,
  seed: number,
): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(adapterShapes(config, lora)).map(([name, shape]) => {
      if (name.endsWith('.lora_B')) return [name, float32(shape)];
      const [rank, inputs] = shape as [number, number];
      const draw = draws(seed, 'adapter-init', name);
      const bound = 1 / Math.sqrt(inputs);
      const data = Float32Array.from({ length: rank * inputs }, () => (2 * draw.uniform() - 1) * bound);
      return [name, float32(shape, data)];
    }),
  );
}

/** Parameters with every adapter added to its matrix, W + scale·B·A; the others unchanged. Inside programs. */
export function mergeAdapters({ parameters, adapters = {}, adapterScale: scale = 1 }: Weights): Named {
  const merged: Record<string, Named[string]> = { ...parameters };
  for (const [name, down] of Object.entries(adapters)) {
    if (!name.endsWith('.lora_A')) continue;
    const path = name.slice(0, -'.lora_A'.length);
    const weight = parameters[`${path}.weight`];
    const up = adapters[`${path}.lora_B`];
    if (!weight || !up)
      complain({
        code: 'LORA_MISSING_TENSOR',
        owner: 'adapters',
        expected: `${path}.weight and ${path}.lora_B beside ${name}`,
        got: weight ? 'no lora_B' : 'no such parameter',
        hint: 'use adapters that belong to this model',
      });
    merged[`${path}.weight`] = ops.add(weight, ops.mul(ops.matMul(up, down), scale));
  }
  return merged;
}
