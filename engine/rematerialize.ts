/**
 * @file Program → equivalent program that holds less: what is cheap to compute and needed again much later (a forward
 * pass's intermediate results in its backward pass) is computed again then, from what is alive anyway.
 */
import { at, elementwiseKernels } from './kernels/index.js';
import { lifetimes, peakBytes, type Lifetimes } from './lifetimes.js';
import { bytesOf, type Node, type Program } from './program.js';
import { withRepeats, type Repetition } from './repeats.js';

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

/** One round: whatever can be repeated from what is alive; failing that, groups that one more living result pays for. */
function repeated(program: Program): Program | undefined {
  const lives = lifetimes(program);
  const candidates = program.nodes.flatMap((_, id) => candidateOf(program, lives, id) ?? []);
  const free: Repetition[] = [];
  const groups = new Map<number, Repetition[]>();
  for (const candidate of candidates) {
    const lacking = sourcesLacking(program, lives, candidate);
    if (lacking?.size === 0) free.push(candidate);
    const [source] = lacking ?? [];
    if (lacking?.size === 1 && source !== undefined)
      groups.set(source, [...(groups.get(source) ?? []), candidate]);
  }
  const chosen = free.length > 0 ? independent(program, lives, free) : paidFor(program, groups);
  return chosen.length > 0
    ? withRepeats(program, lives, chosen, (id) => isCheap(at(program.nodes, id)))
    : undefined;
}

function isCheap(node: Node): boolean {
  return node.kernel in elementwiseKernels || node.kernel === 'Reshape' || node.kernel === 'BroadcastTo';
}

function candidateOf(program: Program, lives: Lifetimes, id: number): Repetition | undefined {
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
  { id, from }: Repetition,
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

/** Repetitions that no other one of them needs alive. */
function independent(program: Program, lives: Lifetimes, free: readonly Repetition[]): Repetition[] {
  const taken = new Set<number>();
  return free.filter(({ id }) => {
    const needed = at(program.nodes, id).inputs.map((input) => lives.buffer(input));
    if (needed.some((input) => taken.has(input))) return false;
    taken.add(lives.buffer(id));
    return true;
  });
}

/** Groups that drop more bytes than their source holds for longer. */
function paidFor(program: Program, groups: ReadonlyMap<number, readonly Repetition[]>): Repetition[] {
  return [...groups].flatMap(([source, group]) => {
    const dropped = group.reduce((sum, { id }) => sum + bytesOf(at(program.nodes, id)), 0);
    return dropped > bytesOf(at(program.nodes, source)) ? group : [];
  });
}
