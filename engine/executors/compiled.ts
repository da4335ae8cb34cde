/** @file Signatures as programs that are ready for a session: traced, simplified, kept within a bounded memory. */
import type { Signature } from '../executor.js';
import { halved, type Halving } from '../halve.js';
import { hoist } from '../hoist.js';
import type { Lowerings } from '../kernels/index.js';
import { lower, type LoweredProgram } from '../lower.js';
import { peakBytes } from '../lifetimes.js';
import type { Meta, Program } from '../program.js';
import { recompute } from '../recompute.js';
import { rematerialize } from '../rematerialize.js';
import { simplify } from '../simplify.js';
import { trace } from '../trace.js';
import { widenedLate } from '../widen.js';

/** How backward passes get what forward passes computed: by default `keep`; see the recipe's key `activations`. */
export interface Sparing {
  readonly activations?: 'keep' | 'recompute';
}

/** How programs are compiled: within how much memory, and with which lowerings of the provider's own. */
export interface Compiling extends Sparing {
  readonly instead?: Lowerings;
  /** What is computed in 16 bits: nothing if not given. */
  readonly halving?: Halving | undefined;
}

/** Programs that hold less at once, in bytes, are compiled as they are: saving memory there would only cost time. */
const WORTH_SAVING = 2 ** 26;

/** A simplified program as it is lowered: within a bounded memory where that is asked for, or worth its time. */
export function spared(simplified: Program, { activations }: Sparing): Program {
  const whole = widenedLate(activations === 'recompute' ? recompute(simplified) : simplified);
  return peakBytes(whole) > WORTH_SAVING ? rematerialize(whole) : whole;
}

/** A program as a model, with what its results are and what running it holds at once, in bytes. */
export interface Compiled extends LoweredProgram {
  readonly name: string;
  readonly metas: ReadonlyMap<string, Meta>;
  readonly bytes: number;
}

/** A signature as a program in the precision that it is computed in. */
export function prepared(signature: Signature, { halving }: Pick<Compiling, 'halving'>): Program {
  const simplified = simplify(trace(signature));
  return halving ? halved(simplified, halving) : simplified;
}

/** A signature as a model. */
export function compiled(signature: Signature, compiling: Compiling): Compiled {
  return lowered(prepared(signature, compiling), compiling);
}

/** A loop as two models: `once` is absent where nothing is worth computing ahead. */
export function compiledLoop(
  signature: Signature,
  varies: (path: string) => boolean,
  compiling: Compiling,
): { readonly once?: Compiled; readonly each: Compiled } {
  const { once, each } = hoist(prepared(signature, compiling), varies);
  return { ...(once && { once: lowered(once, compiling) }), each: lowered(each, compiling) };
}

function lowered(simplified: Program, compiling: Compiling): Compiled {
  const program = spared(simplified, compiling);
  const model = lower(program, compiling.instead);
  return {
    ...model,
    name: program.name,
    metas: new Map([...program.outputs].map(([path, id]) => [path, program.nodes[id] as Meta])),
    bytes: peakBytes(program) + model.model.byteLength,
  };
}
