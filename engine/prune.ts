/** @file Program → the same program without what no output needs. */
import { at } from './kernels/index.js';
import type { Node, Program } from './program.js';

/** Keeps what outputs depend on; arguments that none depends on disappear from `inputs`. */
export function pruned(program: Program): Program {
  const needed = new Set(program.outputs.values());
  for (let id = program.nodes.length - 1; id >= 0; id--)
    if (needed.has(id)) for (const input of at(program.nodes, id).inputs) needed.add(input);
  const moved = new Map<number, number>();
  const nodes: Node[] = [];
  program.nodes.forEach((node, id) => {
    if (!needed.has(id)) return;
    moved.set(id, nodes.length);
    nodes.push({ ...node, inputs: node.inputs.map((input) => moved.get(input) as number) });
  });
  const remap = (ids: ReadonlyMap<string, number>): Map<string, number> =>
    new Map([...ids].filter(([, id]) => needed.has(id)).map(([path, id]) => [path, moved.get(id) as number]));
  return { ...program, nodes, inputs: remap(program.inputs), outputs: remap(program.outputs) };
}
