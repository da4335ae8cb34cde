/** @file How long results of a program live, if its nodes are computed in order. Reshapes are views of their input. */
import { at } from './kernels/index.js';
import { bytesOf, type Program } from './program.js';

/** Positions are indices of nodes; a result of the program is used at the position after the last. */
export interface Lifetimes {
  /** The node whose memory a node's result lies in: its own, or what a reshape views. */
  buffer(id: number): number;
  /** True for arguments, constants and fills: they cost nothing to keep. */
  permanent(id: number): boolean;
  /** Where a node's memory is read, ascending, views followed. */
  uses(id: number): readonly number[];
  /** The last of these, or where it was made. */
  last(id: number): number;
}

/** Analyses a program. */
export function lifetimes({ nodes, outputs }: Program): Lifetimes {
  const buffers: number[] = [];
  const uses: number[][] = nodes.map(() => []);
  nodes.forEach((node, id) => {
    const view = node.kernel === 'Reshape';
    buffers.push(view ? at(buffers, at(node.inputs, 0)) : id);
    if (!view) for (const input of new Set(node.inputs)) at(uses, at(buffers, input)).push(id);
  });
  for (const id of outputs.values()) at(uses, at(buffers, id)).push(nodes.length);
  const buffer = (id: number): number => at(buffers, id);
  return {
    buffer,
    permanent: (id) => ['Input', 'Constant', 'Fill'].includes(at(nodes, buffer(id)).kernel),
    uses: (id) => at(uses, buffer(id)),
    last: (id) => at(uses, buffer(id)).at(-1) ?? buffer(id),
  };
}

/**
 * Peak bytes of intermediate results, each freed after its last use, in program order: an estimate of an arena.
 * Arguments and results live elsewhere and do not count.
 */
export function peakBytes(program: Program): number {
  const { nodes, outputs } = program;
  const lives = lifetimes(program);
  const results = new Set([...outputs.values()].map((id) => lives.buffer(id)));
  const freed: number[] = nodes.map(() => 0);
  let live = 0;
  let peak = 0;
  nodes.forEach((node, id) => {
    if (lives.buffer(id) === id && !lives.permanent(id) && !results.has(id)) {
      live += bytesOf(node);
      freed[lives.last(id)] = (freed[lives.last(id)] as number) + bytesOf(node);
    }
    peak = Math.max(peak, live);
    live -= freed[id] as number;
  });
  return peak;
}
