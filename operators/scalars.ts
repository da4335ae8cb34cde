/** @file Numbers that change from step to step, as arguments of tensor programs. */
import { float32, type Engine, type HostTensor, type Value } from '../engine/index.js';

/** Each number as a float32 scalar; host tensors pass through. */
export function uploadScalars<K extends string>(
  engine: Engine,
  numbers: Readonly<Record<K, number | HostTensor>>,
): Record<K, Value> {
  return Object.fromEntries(
    Object.entries<number | HostTensor>(numbers).map(([name, value]) => [
      name,
      engine.upload(typeof value === 'number' ? float32([], [value]) : value),
    ]),
  ) as Record<K, Value>;
}
