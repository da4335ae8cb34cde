/** @file Program → the same program with some results computed again where they are needed late. Knows no reason to. */
import { at } from './kernels/index.js';
import type { Lifetimes } from './lifetimes.js';
import type { Node, Program } from './program.js';
import { pruned } from './prune.js';

/** A result that is dropped after its early uses and computed again for those from `from` on. */
export interface Repetition {
  readonly id: number;
  readonly from: number;
}

/**
 * The program with copies of the chosen nodes before their late uses, and of what they need that is gone by then.
 * @param repeatable which nodes may be copied for that; others are kept alive.
 */
export function withRepeats(
  program: Program,
  lives: Lifetimes,
  chosen: readonly Repetition[],
  repeatable: (id: number) => boolean,
): Program {
  const repeats = new Repeats(program, lives, chosen, repeatable);
  program.nodes.forEach((_, now) => repeats.place(now));
  return pruned(repeats.program());
}

class Repeats {
  private readonly from: ReadonlyMap<number, number>;
  private readonly nodes: Node[] = [];
  /** Where nodes and repetitions are in the new program. */
  private readonly moved: number[] = [];
  private readonly copies = new Map<number, number>();

  constructor(
    private readonly old: Program,
    private readonly lives: Lifetimes,
    chosen: readonly Repetition[],
    private readonly repeatable: (id: number) => boolean,
  ) {
    this.from = new Map(chosen.map(({ id, from }) => [id, from]));
  }

  place(now: number): void {
    const node = at(this.old.nodes, now);
    // A view is no use: whoever reads it asks for what it views.
    const inputs = node.inputs.map((id) =>
      node.kernel === 'Reshape' ? at(this.moved, id) : this.valueAt(id, now),
    );
    this.moved.push(this.nodes.push({ ...node, inputs }) - 1);
  }

  program(): Program {
    const remap = (ids: ReadonlyMap<string, number>): Map<string, number> =>
      new Map([...ids].map(([path, id]) => [path, at(this.moved, id)]));
    const { name, inputs, outputs } = this.old;
    return { name, nodes: this.nodes, inputs: remap(inputs), outputs: remap(outputs) };
  }

  private valueAt(id: number, now: number): number {
    if (!this.isGone(id, now)) return at(this.moved, id);
    const known = this.copies.get(id);
    if (known !== undefined) return known;
    const node = at(this.old.nodes, id);
    const copy =
      this.nodes.push({ ...node, inputs: node.inputs.map((input) => this.valueAt(input, now)) }) - 1;
    this.copies.set(id, copy);
    return copy;
  }

  private isGone(id: number, now: number): boolean {
    if (this.lives.permanent(id)) return false;
    const node = at(this.old.nodes, id);
    if (now >= (this.from.get(id) ?? Infinity)) return true;
    if (node.kernel === 'Reshape') return this.isGone(at(node.inputs, 0), now);
    return this.repeatable(id) && this.lives.last(id) < now;
  }
}
