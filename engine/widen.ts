/** @file Program → equivalent program that widens 16-bit floats to float32 where that is read, and not long before. */
import { at } from './kernels/index.js';
import type { Node, Program } from './program.js';
import { pruned } from './prune.js';
import { isHalf } from './tensor.js';

/** A widened value is read within so many nodes, or widened again: a pass back must not hold what a pass forward has read. */
const NEAR = 16;

/** True for a cast of 16-bit floats to float32. */
export function isWidening(node: Node, input: (id: number) => Node): boolean {
  return node.kernel === 'Cast' && node.dtype === 'float32' && isHalf(input(at(node.inputs, 0)).dtype);
}

/** Copies casts to where their results are read. Without 16-bit floats, the program as it is. */
export function widenedLate(program: Program): Program {
  if (!program.nodes.some(({ dtype }) => isHalf(dtype))) return program;
  const nodes: Node[] = [];
  const moved: number[] = [];
  const copies = new Map<number, number>();
  const node = (id: number): Node => at(program.nodes, id);
  const valueAt = (id: number): number => {
    if (!isWidening(node(id), node)) return at(moved, id);
    const last = copies.get(id);
    if (last !== undefined && nodes.length - last <= NEAR) return last;
    const copy = nodes.push({ ...node(id), inputs: node(id).inputs.map((input) => at(moved, input)) }) - 1;
    copies.set(id, copy);
    return copy;
  };
  program.nodes.forEach((each) => {
    const isCopied = isWidening(each, node);
    moved.push(isCopied ? -1 : nodes.push({ ...each, inputs: each.inputs.map(valueAt) }) - 1);
  });
  const outputs = new Map([...program.outputs].map(([path, id]) => [path, valueAt(id)]));
  const inputs = new Map([...program.inputs].map(([path, id]) => [path, at(moved, id)]));
  return pruned({ ...program, nodes, inputs, outputs });
}
