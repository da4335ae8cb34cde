/** @file What preparing the programs of a step costs, stage by stage, and how often it is done over a few steps. */
import { createSession } from '../engine/executors/session.js';
import type { EngineStats } from '../engine/index.js';
import { phaseOf } from './phases.js';
import { planning, type Compilation, type Stage } from './planning.js';
import { table } from './report.js';
import type { Shapes } from './shapes.js';
import { workload } from './step.js';
import { seconds } from './timing.js';

const STEPS = 5;

/** One definition: seconds of each stage, and the size of what came out. */
export interface CompiledDefinition {
  readonly name: string;
  readonly seconds: Readonly<Record<Stage | 'session', number>>;
  /** As traced, when simplified, and in the programs that are run (a loop has two). */
  readonly nodes: { readonly traced: number; readonly simplified: number; readonly run: number };
  readonly model_bytes: number;
}

export interface CompileResult {
  readonly definitions: readonly CompiledDefinition[];
  readonly seconds: number;
  readonly steps: number;
  /** The engine's own counters after so many steps. */
  readonly cache: EngineStats;
}

export async function timeCompilation(shapes: Shapes): Promise<CompileResult> {
  const { executor, compilations } = planning(shapes);
  const planned = workload(shapes, { executor });
  await planned.step();
  await planned.dispose();
  const definitions: CompiledDefinition[] = [];
  for (const compilation of compilations) definitions.push(await withSessions(compilation, shapes.threads));
  const work = workload(shapes, { fresh: true });
  for (let step = 0; step < STEPS; step++) await work.step();
  const cache = work.stats();
  await work.dispose();
  return { definitions, seconds: sum(definitions.map(total)), steps: STEPS, cache };
}

async function withSessions(compilation: Compilation, threads: number): Promise<CompiledDefinition> {
  const { name, nodes, programs } = compilation;
  let session = 0;
  for (const { program, model } of programs)
    session += await seconds(async () => {
      await (await createSession(model, program.name, { threads })).release();
    });
  return {
    name: phaseOf(name),
    seconds: { ...compilation.seconds, session },
    nodes: { ...nodes, run: sum(programs.map(({ program }) => program.nodes.length)) },
    model_bytes: sum(programs.map(({ model }) => model.byteLength)),
  };
}

function total({ seconds: stages }: CompiledDefinition): number {
  return sum(Object.values(stages));
}

function sum(values: readonly number[]): number {
  return values.reduce((whole, value) => whole + value, 0);
}

export function describeCompilation({ definitions, seconds: whole, steps, cache }: CompileResult): string {
  const stages = ['trace', 'simplify', 'split', 'spare', 'lower', 'session'] as const;
  const rows = definitions.map((each) => [
    each.name,
    ...stages.map((stage) => each.seconds[stage].toFixed(3)),
    each.nodes.traced,
    each.nodes.simplified,
    each.nodes.run,
    (each.model_bytes / 2 ** 20).toFixed(2),
  ]);
  return [
    `${whole.toFixed(3)} s to prepare every program`,
    table([['seconds', ...stages, 'nodes', 'simplified', 'run', 'MB'], ...rows]),
    `${steps} steps: ${cache.compilations} compilations, ${cache.hits} hits, ${cache.evictions} evictions`,
  ].join('\n\n');
}
