/** @file Many small tensors as few long vectors, so that an update is a few large operations. Depends on tensor operations only. */
import type { Named } from '../gradients.js';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { sizeOf } from '../tensor.js';

/** Tensors with at least so many elements stay by themselves: joining them would cost more than it saves. */
const LARGE = 2 ** 16;
/** A vector holds at most so many elements: enough for the adapters of most models, whose gradients then are one result. */
const MOST = 2 ** 23;

/** How tensors are joined: what is said of some names holds for any tensors of these names and shapes. */
export interface Buckets {
  /** Vectors of small tensors by number, large tensors under their own names. */
  join(tensors: Named): Named;
  /** Undoes {@link join}. */
  part(joined: Named): Named;
}

/**
 * The same vectors for the same names and shapes. Names are taken from the last to the first: gradients of the last layers
 * are known first, and what they are made of is let go sooner where they are also asked for first.
 */
export function bucketsFor(tensors: Named): Buckets {
  const backwards = Object.entries(tensors).reverse();
  const shapes = new Map(backwards.map(([name, { shape }]) => [name, shape]));
  const buckets: string[][] = [];
  let room = 0;
  for (const [name, shape] of shapes) {
    const size = sizeOf(shape);
    if (size >= LARGE) continue;
    if (size > room) {
      buckets.push([]);
      room = MOST;
    }
    (buckets.at(-1) as string[]).push(name);
    room -= size;
  }
  const large = [...shapes].filter(([, shape]) => sizeOf(shape) >= LARGE).map(([name]) => name);
  const kept = (from: Named): [string, Tensor][] => large.map((name) => [name, from[name] as Tensor]);
  return {
    join: (given) =>
      Object.fromEntries([
        ...buckets.map(
          (names, at) => [keyOf(at), vector(names.map((name) => given[name] as Tensor))] as const,
        ),
        ...kept(given),
      ]),
    part: (joined) =>
      Object.fromEntries([
        ...buckets.flatMap((names, at) => parts(joined[keyOf(at)] as Tensor, names, shapes)),
        ...kept(joined),
      ]),
  };
}

const keyOf = (bucket: number): string => `bucket ${bucket}`;

function vector(tensors: readonly Tensor[]): Tensor {
  const flat = tensors.map((tensor) => ops.reshape(tensor, [-1]));
  return flat.length === 1 ? (flat[0] as Tensor) : ops.concat(flat, 0);
}

function parts(
  joined: Tensor,
  names: readonly string[],
  shapes: ReadonlyMap<string, readonly number[]>,
): [string, Tensor][] {
  let start = 0;
  return names.map((name) => {
    const shape = shapes.get(name) as number[];
    const size = sizeOf(shape);
    start += size;
    return [name, ops.reshape(ops.slice(joined, [start - size], [size]), shape)];
  });
}
