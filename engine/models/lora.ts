/** @file Low-rank adapters (LoRA): names, first values, merging. Knows nothing about files. */
import { complain, draws } from '../../foundation/index.js';
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { float32, type HostTensor } from '../tensor.js';
import type { ModelConfig } from './model-config.js';
import { blockPath, type Linear } from './modules.js';
import { parameter, type Weights } from './weights.js';

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

/**
 * The linear modules that a name stands for: a module's own (`c_attn`, `mlp.c_proj`; `c_proj` is two modules of GPT-2), or
 * q, k, v, o, gate, up, down where the model has such a module.
 * @throws LORA_UNKNOWN_PROJECTION
 */
export function parseProjection({ modules }: ModelConfig, name: string): readonly Linear[] {
  const found = modules.linears.filter(
    ({ role, path }) => role === name || path === name || path.endsWith(`.${name}`),
  );
  if (found.length > 0) return found;
  return complain({
    code: 'LORA_UNKNOWN_PROJECTION',
    owner: 'adapters',
    expected: `projections among ${projectionNames({ modules }).join(', ')}`,
    got: JSON.stringify(name),
    hint: 'name linear modules of the block',
  });
}

/** The shortest name of every linear module of a block that no other shares, in the order of the checkpoint. */
export function projectionNames({ modules }: Pick<ModelConfig, 'modules'>): string[] {
  const last = (path: string, words: number): string => path.split('.').slice(-words).join('.');
  return modules.linears.map(({ path }) => {
    const shared = modules.linears.filter((other) => last(other.path, 1) === last(path, 1)).length > 1;
    return last(path, shared ? 2 : 1);
  });
}

/** The modules that have adapters, by path (`model.layers.0.self_attn.q_proj`), layer by layer. @throws LORA_UNKNOWN_PROJECTION */
export function adaptedModules(config: ModelConfig, projections: readonly string[]): Map<string, Linear> {
  const chosen = new Set(projections.flatMap((name) => parseProjection(config, name)));
  const adapted = new Map<string, Linear>();
  for (let layer = 0; layer < config.layers; layer++)
    for (const module of chosen) adapted.set(`${blockPath(config.modules, layer)}.${module.path}`, module);
  return adapted;
}

/** Shapes of all adapter tensors by name: `….lora_A` [rank, in], `….lora_B` [out, rank]. */
export function adapterShapes(
  config: ModelConfig,
  { rank, projections }: Pick<LoraConfig, 'rank' | 'projections'>,
): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  for (const [path, { inputs, outputs }] of adaptedModules(config, projections)) {
    shapes[`${path}.lora_A`] = [rank, inputs];
    shapes[`${path}.lora_B`] = [outputs, rank];
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

/** Adapters that cost more than this share of the multiplications of what they adapt are worth merging. */
const WORTH_MERGING = 0.1;

/**
 * Whether weights that stay the same for many runs are better merged: adapters of large matrices cost little, and a merged
 * copy of those much memory.
 * @param adapters of any kind that has shapes, by name.
 */
export function worthMerging(
  adapters: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): boolean {
  let [added, dense] = [0, 0];
  for (const [name, { shape }] of Object.entries(adapters)) {
    const up = adapters[name.replace(/lora_A$/, 'lora_B')];
    if (!name.endsWith('.lora_A') || !up) continue;
    const [rank, inputs] = shape as [number, number];
    const [outputs] = up.shape as [number];
    added += rank * (inputs + outputs);
    dense += inputs * outputs;
  }
  return added > WORTH_MERGING * dense;
}

/** W + scale·B·A as W is stored. @param inputsFirst W is [inputs, outputs]. Inside programs. */
export function mergedMatrix(
  weight: Tensor,
  down: Tensor,
  up: Tensor,
  scale: number | Tensor,
  inputsFirst: boolean,
): Tensor {
  const change = inputsFirst ? ops.matMul(down, up, true, true) : ops.matMul(up, down);
  return ops.add(weight, ops.mul(change, scale));
}

/** Parameters with every adapter added to its matrix, W + scale·B·A; the others unchanged. Inside programs. */
export function mergeAdapters(
  { modules, layers }: ModelConfig,
  { parameters, adapters = {}, adapterScale: scale = 1 }: Weights,
): Named {
  const merged: Record<string, Named[string]> = { ...parameters };
  const left = new Set(Object.keys(adapters));
  for (let layer = 0; layer < layers; layer++)
    for (const { path, inputsFirst } of modules.linears) {
      const name = `${blockPath(modules, layer)}.${path}`;
      const [down, up] = [adapters[`${name}.lora_A`], adapters[`${name}.lora_B`]];
      if (!down || !up) continue;
      const weight = parameter(parameters, `${name}.weight`);
      merged[`${name}.weight`] = mergedMatrix(weight, down, up, scale, inputsFirst);
      left.delete(`${name}.lora_A`);
      left.delete(`${name}.lora_B`);
    }
  const [stranger] = left;
  if (stranger !== undefined)
    complain({
      code: 'LORA_MISSING_TENSOR',
      owner: 'adapters',
      expected: 'both matrices of adapters of modules that the model has',
      got: stranger,
      hint: 'use adapters that belong to this model',
    });
  return merged;
}
