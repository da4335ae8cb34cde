/** @file Floating-point operations of a program's matrix products, which are nearly all that it does. */
import { contractionKernels } from '../engine/kernels/contraction.js';
import type { Node, Program } from '../engine/program.js';

/** One run's: a multiplication and an addition for every term of every product. */
export function flopsOf({ nodes }: Program): number {
  return nodes
    .filter(({ kernel }) => kernel in contractionKernels)
    .reduce((sum, node) => {
      const [left] = node.inputs;
      const { shape } = nodes[left as number] as Node;
      const terms = shape.at(node.attributes['transposeA'] === true ? -2 : -1) as number;
      return sum + 2 * terms * node.shape.reduce((size, extent) => size * extent, 1);
    }, 0);
}
