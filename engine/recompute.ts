/**
 * @file Program → equivalent program whose backward passes compute each block anew from the stream that entered it, so
 * that only these streams are held in between: gradient checkpointing (arXiv 1604.06174) by block.
 */
import { at } from './kernels/index.js';
import { lifetimes, type Lifetimes } from './lifetimes.js';
import type { Program } from './program.js';
import { withRepeats, type Repetition } from './repeats.js';

/** Nodes of one block, exclusive of the boundary before and the one behind it. */
interface Segment {
  readonly first: number;
  readonly end: number;
  /** Where the forward pass through all blocks ends. */
  readonly turn: number;
}

/** Recomputes every block but the last of each forward pass, whose backward pass follows at once. */
export function recompute(program: Program): Program {
  const lives = lifetimes(program);
  const segments = segmentsOf(program);
  const chosen = segments.flatMap((segment) => repetitionsIn(segment, lives));
  if (chosen.length === 0) return program;
  const repeated = new Set(chosen.map(({ id }) => id));
  const inner = new Set(
    segments.flatMap(({ first, end, turn }) =>
      range(first, end).filter((id) => repeated.has(id) || lives.last(id) <= turn),
    ),
  );
  return withRepeats(program, lives, chosen, (id) => inner.has(id));
}

/** Between boundaries of consecutive numbers; the program's first may lack one, where what precedes is an argument. */
function segmentsOf({ nodes }: Program): Segment[] {
  const boundaries = nodes.flatMap((node, id) => {
    const number = node.attributes['boundary'];
    return typeof number === 'number' ? [{ id, number }] : [];
  });
  const follows = (index: number): boolean =>
    boundaries[index]?.number === (boundaries[index - 1]?.number ?? Infinity) + 1;
  const turnFrom = (index: number): number => {
    let last = index;
    while (follows(last + 1)) last++;
    return at(boundaries, last).id;
  };
  return boundaries.flatMap(({ id }, index) => {
    if (index > 0 && !follows(index)) return [];
    const first = index > 0 ? at(boundaries, index - 1).id + 1 : 0;
    const turn = turnFrom(index);
    return id === turn ? [] : [{ first, end: id, turn }];
  });
}

/** What backward passes read of a block, unless later blocks read it, too: gone, whole, when the forward pass is over. */
function repetitionsIn({ first, end, turn }: Segment, lives: Lifetimes): Repetition[] {
  return range(first, end).flatMap((id) => {
    if (lives.buffer(id) !== id || lives.permanent(id)) return [];
    const uses = lives.uses(id);
    const late = uses.some((use) => use > turn);
    const shared = uses.some((use) => use > end && use <= turn);
    return late && !shared ? [{ id, from: turn + 1 }] : [];
  });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
