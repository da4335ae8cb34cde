/** @file Program → equivalent smaller program: rewrites, one node for equal nodes, nothing that no output needs. */
import { at } from './kernels/index.js';
import type { Node, Program } from './program.js';
import { pruned } from './prune.js';
import { rewrites, type Rewriter } from './rewrites.js';

/** Simplifies to a fixed point; idempotent. Arguments that no output depends on disappear from `inputs`. */
export function simplify(program: Program): Program {
  let before = pruned(program);
  for (;;) {
    const after = pruned(rewritten(before));
    if (sameNodes(before, after)) return after;
    before = after;
  }
}

function sameNodes(a: Program, b: Program): boolean {
  return (
    a.nodes.length === b.nodes.length && a.nodes.every((node, id) => keyOf(node) === keyOf(at(b.nodes, id)))
  );
}

function rewritten(program: Program): Program {
  const builder = new Builder();
  const moved: number[] = [];
  for (const node of program.nodes) {
    const inputs = node.inputs.map((input) => at(moved, input));
    moved.push(builder.simplest({ ...node, inputs }));
  }
  const remap = (ids: ReadonlyMap<string, number>): Map<string, number> =>
    new Map([...ids].map(([path, id]) => [path, at(moved, id)]));
  return { ...program, nodes: builder.nodes, inputs: remap(program.inputs), outputs: remap(program.outputs) };
}

class Builder implements Rewriter {
  readonly nodes: Node[] = [];
  private readonly known = new Map<string, number>();

  readonly node = (id: number): Node => at(this.nodes, id);

  /** Adds a node, or finds the equal one. Arguments are never equal; neither are constants, which are few. */
  readonly add = (node: Node): number => {
    const unique = node.kernel === 'Input' || node.kernel === 'Constant';
    const key = unique ? `${node.kernel} ${this.nodes.length}` : keyOf(node);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.known.set(key, this.nodes.length);
    return this.nodes.push(node) - 1;
  };

  /** Applies rewrites until none applies. */
  simplest(node: Node): number {
    for (const rewrite of rewrites) {
      const id = rewrite(node, this);
      if (id !== undefined) return id;
    }
    return this.add(node);
  }
}

/** JSON would take ∞, −∞ and NaN for one value, and −0 for 0. */
function keyOf(node: Node): string {
  return JSON.stringify(
    [node.kernel, node.inputs, node.attributes, node.shape, node.dtype],
    (_, value: unknown) =>
      typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
        ? `number ${Object.is(value, -0) ? '-0' : value}`
        : value,
  );
}
