/** @file Splits a program that is run again and again: what depends on unchanging arguments alone is computed once. */
import { at } from './kernels/index.js';
import type { Node, Program } from './program.js';
import { pruned } from './prune.js';
import { isHalf } from './tensor.js';

/** A program in two: `once` gives what `each` takes besides the arguments, under paths that begin with {@link HELD}. */
export interface Hoisted {
  /** Absent where nothing is worth computing ahead. */
  readonly once?: Program;
  readonly each: Program;
}

/** Where results of `once` are found among the arguments of `each`. */
export const HELD = '@once/';

/** Cheaper to compute again than to hold: they copy, fill or only say how elements are read. */
const NOT_WORTH_HOLDING = new Set(['Fill', 'Reshape', 'BroadcastTo', 'Tile', 'Cast', 'OneHot']);

/**
 * Splits a simplified program.
 * @param varies tells by path which arguments change between runs; results always belong to `each`.
 */
export function hoist(program: Program, varies: (path: string) => boolean): Hoisted {
  const held = heldNodes(program, variantNodes(program, varies));
  if (held.size === 0) return { each: program };
  const names = new Map([...held].map((id, index) => [id, `${HELD}${index}`]));
  const once = { ...program, name: `${program.name} once`, outputs: new Map([...names].map(flip)) };
  const nodes = program.nodes.map((node, id) =>
    names.has(id)
      ? { kernel: 'Input', inputs: [], attributes: {}, shape: node.shape, dtype: node.dtype }
      : node,
  );
  const inputs = new Map([...program.inputs, ...[...names].map(flip)]);
  return { once: pruned(once), each: pruned({ ...program, nodes, inputs }) };
}

const flip = <A, B>([a, b]: readonly [A, B]): [B, A] => [b, a];

/** Nodes that depend on an argument that changes. */
function variantNodes({ nodes, inputs }: Program, varies: (path: string) => boolean): boolean[] {
  const changing = new Set([...inputs].filter(([path]) => varies(path)).map(([, id]) => id));
  const variant: boolean[] = [];
  nodes.forEach((node, id) => variant.push(changing.has(id) || node.inputs.some((input) => variant[input])));
  return variant;
}

/** Held rather than what it is made of. */
function narrows(node: Node, nodes: readonly Node[]): boolean {
  return node.kernel === 'Cast' && isHalf(node.dtype) && !isHalf(at(nodes, at(node.inputs, 0)).dtype);
}

/** Unchanging nodes that changing ones (or results) read and that are worth holding; behind the others, what those read. */
function heldNodes({ nodes, outputs }: Program, variant: readonly boolean[]): Set<number> {
  const held = new Set<number>();
  const seen = new Set<number>();
  const ask = (id: number): void => {
    if (variant[id] || seen.has(id)) return;
    seen.add(id);
    const node = at(nodes, id);
    if (node.kernel === 'Input' || node.kernel === 'Constant') return;
    if (node.dtype !== 'bool' && (!NOT_WORTH_HOLDING.has(node.kernel) || narrows(node, nodes))) held.add(id);
    else node.inputs.forEach(ask);
  };
  nodes.forEach((node, id) => variant[id] && node.inputs.forEach(ask));
  // A result that does not change is computed by `each` all the same, from what is held.
  for (const id of outputs.values()) if (!variant[id]) at(nodes, id).inputs.forEach(ask);
  for (const id of outputs.values()) held.delete(id);
  return held;
}
