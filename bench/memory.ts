/** @file The memory that a step should need by its formula (docs/memory.md), held against what its process needed. */
import { basename } from 'node:path';
import { createEngine, parameterShapes, siteWidth, sizeOf } from '../engine/index.js';
import { peakBytes } from '../engine/lifetimes.js';
import { bytesOf, type Node } from '../engine/program.js';
import { planning, type Compilation } from './planning.js';
import { modelConfig, randomBatches } from './random.js';
import { table } from './report.js';
import { readShapes, siteOf, type Shapes } from './shapes.js';
import { startOurSide } from './side.js';
import { trainingStages, workload } from './step.js';

/** The formula's terms, in bytes. */
export interface MemoryTerms {
  /** The frozen weights, in what they are kept in. */
  readonly weights: number;
  /** What is trained: as it was, and twice value and two moments. */
  readonly trained: number;
  /** δ and its two moments, each twice: read from one, written to the other. */
  readonly perturbations: number;
  /** What loops compute once and hold. */
  readonly held: number;
  /** The heap for intermediate results, gradients among them, of the program that has most of them alive at once. */
  readonly program: number;
  /** The compiled programs. */
  readonly sessions: number;
}

export interface MemoryResult {
  readonly name: string;
  /** MB (2^20 bytes): a process that works on next to nothing, the terms, their sum, and the peak of a real process. */
  readonly base_mb: number;
  readonly terms_mb: MemoryTerms;
  readonly predicted_mb: number;
  readonly measured_mb: number;
  /** Predicted / measured. */
  readonly ratio: number;
}

/** What the heap holds for each byte of results that are alive: blocks of many sizes leave holes. Measured on `small` and `gradient`. */
const HEAP_FACTOR = 1.6;
/** Of a session, for each node of its program: graph, plan, kernels, and the tracing that came before. Measured. */
const NODE_BYTES = 5 * 1024;

/**
 * Predicts, then runs two steps of each in a process like a run's.
 * @param smallest a configuration whose tensors hardly count: the peak of its process is the formula's base.
 */
export async function compareMemory(paths: readonly string[], smallest: string): Promise<MemoryResult[]> {
  const base = await measuredPeak(smallest);
  const results: MemoryResult[] = [];
  for (const path of paths) {
    const terms = await memoryTerms(readShapes(path));
    const megabytes = Object.fromEntries(
      Object.entries(terms).map(([name, bytes]: [string, number]) => [name, bytes / 2 ** 20]),
    ) as unknown as MemoryTerms;
    const measured = await measuredPeak(path);
    const predicted = base + sum(Object.values(megabytes) as number[]);
    results.push({
      name: basename(path, '.json'),
      base_mb: base,
      terms_mb: megabytes,
      predicted_mb: predicted,
      measured_mb: measured,
      ratio: predicted / measured,
    });
  }
  return results;
}

/** MB (2^20 bytes). */
async function measuredPeak(path: string): Promise<number> {
  const side = await startOurSide(path);
  try {
    return (await side.time()).peak_rss_mb;
  } finally {
    await side.close();
  }
}

/** The terms from shapes alone: programs are planned, none is run. */
export async function memoryTerms(shapes: Shapes): Promise<MemoryTerms> {
  const { executor, compilations } = planning(shapes);
  const work = workload(shapes, { executor });
  await work.step();
  await work.dispose();
  const programs = compilations.flatMap((each) => each.programs);
  return {
    weights: weightBytes(shapes),
    trained: 7 * (await trainedBytes(shapes)),
    perturbations: perturbationBytes(shapes),
    held: sum(compilations.map(heldBytes)),
    program: HEAP_FACTOR * Math.max(...programs.map(({ program }) => peakBytes(program))),
    sessions: sum(programs.map(({ program, model }) => NODE_BYTES * program.nodes.length + model.byteLength)),
  };
}

/** Vectors stay float32, whatever matrices are kept in. */
function weightBytes(shapes: Shapes): number {
  const ofMatrices = shapes.weights === 'float32' ? 4 : 2;
  const all = Object.values(parameterShapes(modelConfig(shapes)));
  return sum(all.map((shape) => sizeOf(shape) * (shape.length > 1 ? ofMatrices : 4)));
}

async function trainedBytes(shapes: Shapes): Promise<number> {
  if (shapes.kind === 'gradient') return 0;
  const engine = createEngine(planning().executor);
  const { tensors } = await trainingStages(engine, shapes).defender.save();
  const trained = Object.entries(tensors).filter(([name]) => name.startsWith('trained/'));
  return sum(trained.map(([, { data }]) => data.byteLength));
}

/** Six times δ at all sites; for a gradient alone, whose every token is perturbed, δ and its gradient. */
function perturbationBytes(shapes: Shapes): number {
  const config = modelConfig(shapes);
  const width = sum(shapes.attack_layers.map((layer) => siteWidth(config, siteOf(layer))));
  if (shapes.kind === 'gradient') return 2 * 4 * shapes.batch * (shapes.prompt + shapes.completion) * width;
  const { rows, slotCount } = randomBatches(shapes).pairs;
  return 6 * 4 * rows * slotCount * width;
}

/** Results of a loop's first program, which the loop holds. */
function heldBytes({ programs }: Compilation): number {
  const [once] = programs.length > 1 ? programs : [];
  if (!once) return 0;
  const { nodes, outputs } = once.program;
  return sum([...outputs.values()].map((id) => bytesOf(nodes[id] as Node)));
}

function sum(values: readonly number[]): number {
  return values.reduce((whole, value) => whole + value, 0);
}

export function describeMemory(results: readonly MemoryResult[]): string {
  const names = Object.keys(results[0]?.terms_mb ?? {}) as (keyof MemoryTerms)[];
  const rows = results.map((each) => [
    each.name,
    each.base_mb,
    ...names.map((name) => each.terms_mb[name].toFixed(1)),
    each.predicted_mb.toFixed(0),
    each.measured_mb,
    each.ratio.toFixed(2),
  ]);
  return table([['MB', 'base', ...names, 'predicted', 'measured', 'ratio'], ...rows]);
}
