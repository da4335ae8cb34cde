/**
 * @file Program → equivalent program that holds less: what is cheap to compute and needed again much later (a forward
 * pass's intermediate results in its backward pass) is computed again then, from what is alive anyway.
 */
import { at, elementwiseKernels } from './kernels/index.js';
import { lifetimes, peakBytes, type Lifetimes } from './lifetimes.js';
import { bytesOf, type Node, type Program } from './program.js';
import { pruned } from './prune.js';

/** Nodes between two uses that make a result worth dropping in between. */
const LONG = 48;
/** How many cheap results in a row are computed again for one. */
const DEEP = 6;
const ROUNDS = 8;

/** Trades elementwise work for memory until nothing more is gained; the program as it is where nothing is. */
export function rematerialize(program: Program): Program {
  let [best, least] = [program, peakBytes(program)];
  let next: Program | undefined = program;
  for (let round = 0; round < ROUNDS && next; round++) {
    next = repeated(next);
    const peak = next ? peakBytes(next) : Infinity;
    if (next && peak < least) [best, least] = [next, peak];
  }
  return best;
}

/** A result that is dropped after its early uses and computed again for those from `from` on. */
interface Candidate {
  readonly id: number;
  readonly from: number;
}

/** One round: whatever can be repeated from what is alive; failing that, groups that one more living result pays for. */
function repeated(program: Program): Program | undefined {
  const lives = lifetimes(program);
  const candidates = program.nodes.flatMap((_, id) => candidateOf(program, lives, id) ?? []);
  const free: Candidate[] = [];
  const groups = new Map<number, Candidate[]>();
  for (const candidate of candidates) {
    const lacking = sourcesLacking(program, lives, candidate);
    if (lacking?.size === 0) free.push(candidate);
    const [source] = lacking ?? [];
    if (lacking?.size === 1 && source !== undefined)
      groups.set(source, [...(groups.get(source) ?? []), candidate]);
  }
  const chosen = free.length > 0 ? independent(program, lives, free) : paidFor(program, groups);
  return chosen.length > 0 ? withRepeats(program, lives, chosen) : undefined;
}

function isCheap(node: Node): boolean {
  return node.kernel in elementwiseKernels || node.kernel === 'Reshape' || node.kernel === 'BroadcastTo';
}

function candidateOf(program: Program, lives: Lifetimes, id: number): Candidate | undefined {
  const node = at(program.nodes, id);
  if (!(node.kernel in elementwiseKernels) || lives.permanent(id)) return undefined;
  const uses = lives.uses(id);
  for (let use = 1; use < uses.length; use++) {
    const from = at(uses, use);
    if (from < program.nodes.length && from - at(uses, use - 1) >= LONG) return { id, from };
  }
  return undefined;
}

/** What is not alive when the candidate is needed again and cannot be repeated itself; undefined for too long a chain. */
function sourcesLacking(
  program: Program,
  lives: Lifetimes,
  { id, from }: Candidate,
): ReadonlySet<number> | undefined {
  const lacking = new Set<number>();
  const visit = (input: number, depth: number): boolean => {
    if (lives.permanent(input) || lives.last(input) >= from) return true;
    const node = at(program.nodes, input);
    if (isCheap(node) && depth < DEEP && node.inputs.every((each) => visit(each, depth + 1))) return true;
    lacking.add(lives.buffer(input));
    return !isCheap(node);
  };
  return at(program.nodes, id).inputs.every((input) => visit(input, 0)) ? lacking : undefined;
}

/** Candidates that no other one of them needs alive. */
function independent(program: Program, lives: Lifetimes, free: readonly Candidate[]): Candidate[] {
  const taken = new Set<number>();
  return free.filter(({ id }) => {
    const needed = at(program.nodes, id).inputs.map((input) => lives.buffer(input));
    if (needed.some((input) => taken.has(input))) return false;
    taken.add(lives.buffer(id));
    return true;
  });
}

/** Groups that drop more bytes than their source holds for longer. */
function paidFor(program: Program, groups: ReadonlyMap<number, readonly Candidate[]>): Candidate[] {
  return [...groups].flatMap(([source, group]) => {
    const dropped = group.reduce((sum, { id }) => sum + bytesOf(at(program.nodes, id)), 0);
    return dropped > bytesOf(at(program.nodes, source)) ? group : [];
  });
}

/** The program with copies of the chosen nodes before their late uses, and of what they need that is gone by then. */
function withRepeats(program: Program, lives: Lifetimes, chosen: readonly Candidate[]): Program {
  const repeats = new Repeats(program, lives, chosen);
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
    chosen: readonly Candidate[],
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
    return isCheap(node) && this.lives.last(id) < now;
  }
}
