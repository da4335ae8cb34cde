/** @file An executor that plans programs and runs none: what a step would run, how often, and what preparing that costs. */
import { type Executable, type Executor, type Leaves, type Signature, type Value } from '../engine/index.js';
import { spared } from '../engine/executors/compiled.js';
import { empty, onHost, type Held } from '../engine/executors/host-memory.js';
import { halvingOnCpu, type OnnxRuntimeOptions } from '../engine/executors/onnxruntime.js';
import { halved } from '../engine/halve.js';
import { hoist } from '../engine/hoist.js';
import { lower } from '../engine/lower.js';
import type { Meta, Program } from '../engine/program.js';
import { simplify } from '../engine/simplify.js';
import { trace } from '../engine/trace.js';

/** A program as the default executor would run it. */
export interface PlannedProgram {
  readonly program: Program;
  readonly model: Uint8Array;
  /** How often it would have run. */
  runs: number;
}

export type Stage = 'trace' | 'simplify' | 'split' | 'spare' | 'lower';

/** What became of one definition for one set of shapes: a program, or a loop's two. */
export interface Compilation {
  readonly name: string;
  readonly seconds: Readonly<Record<Stage, number>>;
  readonly nodes: { readonly traced: number; readonly simplified: number };
  readonly programs: readonly PlannedProgram[];
}

export interface Planning {
  readonly executor: Executor;
  /** In the order of compilation. */
  readonly compilations: readonly Compilation[];
}

/** What decides how a program is spared memory, and in what it computes. */
export type Saving = Pick<OnnxRuntimeOptions, 'activations' | 'precision'>;

/** Results of its runs are zeros of the right shapes. */
export function planning(options: Saving = {}): Planning {
  const compilations: Compilation[] = [];
  const halving = halvingOnCpu(options.precision);
  const plan = (signature: Signature, split: (program: Program) => readonly Program[]): Compilation => {
    const compilation = planned(signature, split, options);
    compilations.push(compilation);
    return compilation;
  };
  const executor: Executor = {
    name: 'planning',
    ...(halving && { precision: halving.type }),
    fingerprint: {},
    upload: (tensor) => tensor,
    download: (value) => Promise.resolve(onHost(value as Held)),
    compile: async (signature) => pretending(plan(signature, (program) => [program]).programs.at(-1)),
    compileLoop: async (signature, varies) => {
      const { programs } = plan(signature, (program) => {
        const { once, each } = hoist(program, varies);
        return once ? [once, each] : [each];
      });
      const each = pretending(programs.at(-1));
      return programs.length > 1 ? { once: pretending(programs[0]), each } : { each };
    },
    dispose: () => Promise.resolve(),
  };
  return { executor, compilations };
}

function planned(
  signature: Signature,
  split: (program: Program) => readonly Program[],
  options: Saving,
): Compilation {
  const seconds = { trace: 0, simplify: 0, split: 0, spare: 0, lower: 0 };
  const timed = <T>(stage: Stage, work: () => T): T => {
    const start = performance.now();
    const result = work();
    seconds[stage] += (performance.now() - start) / 1000;
    return result;
  };
  const traced = timed('trace', () => trace(signature));
  const halving = halvingOnCpu(options.precision);
  const simplified = timed('simplify', () => {
    const simple = simplify(traced);
    return halving ? halved(simple, halving) : simple;
  });
  const programs = timed('split', () => split(simplified)).map((part) => {
    const program = timed('spare', () => spared(part, options));
    return { program, model: timed('lower', () => lower(program)).model, runs: 0 };
  });
  const nodes = { traced: traced.nodes.length, simplified: simplified.nodes.length };
  return { name: signature.name, seconds, nodes, programs };
}

function pretending(planned: PlannedProgram | undefined): Executable {
  if (!planned) throw new Error('a definition without a program');
  const { program, model } = planned;
  return {
    bytes: model.byteLength,
    run: (_inputs, into: Leaves<Value>) => {
      planned.runs++;
      const result = ([path, id]: [string, number]): [string, Value] => [
        path,
        into.get(path) ?? empty(program.nodes[id] as Meta),
      ];
      return Promise.resolve(new Map([...program.outputs].map(result)));
    },
    dispose: () => Promise.resolve(),
  };
}
