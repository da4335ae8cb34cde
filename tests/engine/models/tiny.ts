/** @file Tiny random models and a way to evaluate functions of tensors, for the tests of this folder. */
import { draws } from '../../../foundation/index.js';
import {
  createEngine,
  float32,
  int32,
  tfjsExecutor,
  type HostTensor,
  type Model,
  type Tensor,
} from '../../../engine/index.js';
import { FAMILIES as families, tinyConfig, tinyParameters } from '../../../testing/index.js';

export { tinyConfig };

/** Entries of `config.json` by family. */
export const FAMILIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = families;

/** A model of {@link tinyConfig} with random weights, norms and biases among them. */
export function tinyModel(seed: number, overrides: Readonly<Record<string, unknown>> = {}): Model {
  const config = tinyConfig(overrides);
  return { config, parameters: tinyParameters(config, seed), directory: 'none' };
}

/** Normal noise of a shape. */
export function noise(seed: number, shape: readonly number[], deviation = 1): HostTensor {
  const draw = draws(seed, 'noise', ...shape);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return float32(
    shape,
    Float32Array.from({ length: size }, () => deviation * draw.normal()),
  );
}

/** One row per list of `[token, position, segment]`. */
export function batchOf(rows: readonly (readonly (readonly [number, number, number])[])[]) {
  const shape = [rows.length, rows[0]!.length];
  const ids = (index: 0 | 1 | 2) =>
    int32(
      shape,
      rows.flatMap((row) => row.map((token) => token[index])),
    );
  return { tokens: ids(0), positions: ids(1), segments: ids(2) };
}

type Trees<T> = { readonly [name: string]: T | Trees<T> };

const engine = createEngine(tfjsExecutor());
let evaluations = 0;

/** Runs a function of tensors eagerly on host tensors. */
export async function evaluate<R extends Record<string, Tensor>>(
  args: Trees<HostTensor>,
  compute: (args: never) => R,
): Promise<{ readonly [K in keyof R]: HostTensor }> {
  const result: unknown = await engine.run(
    { name: `test ${evaluations++}`, compute: compute as never },
    args,
  );
  return result as { readonly [K in keyof R]: HostTensor };
}

/** Largest absolute difference. */
export function gap(a: HostTensor, b: HostTensor): number {
  if (a.data.length !== b.data.length) return Infinity;
  return Array.from(a.data).reduce((worst, value, index) => {
    const difference = Math.abs(value - b.data[index]!);
    return difference <= worst ? worst : difference;
  }, 0);
}
