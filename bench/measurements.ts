/** @file The subcommands that measure latstream's parts by themselves: each prints lines for people or JSON, and keeps its figures with their context. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { describeBatches, timeBatches } from './batches.js';
import { describeCompilation, timeCompilation } from './compile.js';
import { readContext } from './context.js';
import { describeDeliveries, timeDeliveries } from './deliveries.js';
import { describeLoadings, measureLoadings } from './loading.js';
import { compareMemory, describeMemory } from './memory.js';
import { asARun } from './native-memory.js';
import { addExecuting, executorFor, type Executing } from './executing.js';
import { describeOverhead, timeOverhead } from './overhead.js';
import { describeProfile, profile } from './profile.js';
import { writeResults } from './report.js';
import { describeScaling, scalePlot, timeScaling } from './scale.js';
import { readShapes } from './shapes.js';
import { describeSoak, soak } from './soak.js';
import { describeStreams, timeStreams } from './streams.js';

/** A result and what people are told of it. */
type Measured = readonly [result: object, text: string];

interface Common {
  readonly json?: boolean;
  readonly results: string;
}

/** Adds them. @param root of the repository. */
export function addMeasurements(program: Command, root: string): void {
  addStepParts(program, root);
  addGrowth(program, root);
  addSurroundings(program, root);
}

/** Finishes a subcommand. @param measure of its arguments. */
function measuring(
  command: Command,
  root: string,
  measure: (args: readonly string[]) => Promise<Measured>,
): void {
  command
    .option('--json', 'print JSON')
    .option('--results <folder>', 'where the figures are kept', join(root, 'bench/results'))
    .action(async () => {
      asARun();
      const context = readContext(root);
      const { json, results } = command.opts<Common>();
      const [result, text] = await measure(command.args);
      const path = writeResults(results, command.name(), context, { result });
      console.log(json ? JSON.stringify({ context, result }) : `${text}\n\nwritten to ${path}`);
    });
}

function addStepParts(program: Command, root: string): void {
  const profiling = program
    .command('profile <config>')
    .description("where a step's time goes: phases, kernels, run overhead, data; GFLOP/s");
  measuring(profiling, root, async ([config]) => {
    const result = await profile(readShapes(config as string));
    return [result, describeProfile(result)];
  });
  const compiling = program
    .command('compile <config>')
    .description('seconds to trace, simplify, lower and open sessions; compilations and cache hits');
  measuring(compiling, root, async ([config]) => {
    const result = await timeCompilation(readShapes(config as string));
    return [result, describeCompilation(result)];
  });
  const overhead = program
    .command('overhead <config>')
    .description("the run loop's share of a step: streams, data and reports")
    .option('--steps <n>', 'steps that are timed', Number, 10);
  measuring(overhead, root, async ([config]) => {
    const { steps } = overhead.opts<{ readonly steps: number }>();
    const result = await timeOverhead(root, readShapes(config as string), steps);
    return [result, describeOverhead(result)];
  });
}

function addGrowth(program: Command, root: string): void {
  const scale = program
    .command('scale [config]')
    .description('time against tokens, sites and attack iterations (default: bench/configs/small.json)')
    .option('--plot <file>', 'an SVG of it', join(root, 'docs/scale.svg'));
  measuring(scale, root, async ([config]) => {
    const { plot } = scale.opts<{ readonly plot: string }>();
    const result = await timeScaling(readShapes(config ?? join(root, 'bench/configs/small.json')));
    mkdirSync(dirname(plot), { recursive: true });
    writeFileSync(plot, scalePlot(result));
    return [result, describeScaling(result)];
  });
  const soaking = addExecuting(program.command('soak <config>'))
    .description('many steps on new rows: the growth of resident memory')
    .requiredOption('--steps <n>', 'how many', Number);
  measuring(soaking, root, async ([config]) => {
    const { steps, ...executing } = soaking.opts<Executing & { readonly steps: number }>();
    const shapes = readShapes(config as string);
    const device = ['cuda', 'webgpu'].includes(executing.executor) ? executing.device : undefined;
    const result = await soak(shapes, steps, await executorFor(shapes, executing), device);
    return [result, describeSoak(result)];
  });
  const memory = program
    .command('memory <configs...>')
    .description('peak memory by its formula (docs/memory.md), and as it is');
  measuring(memory, root, async (configs) => {
    const result = await compareMemory(configs, join(root, 'bench/configs/tiny.json'));
    return [result, describeMemory(result)];
  });
  const loading = program
    .command('loading <config>')
    .description('peak memory of reading a model of that size whose matrices are kept in 16 bits');
  measuring(loading, root, async ([config]) => {
    const result = await measureLoadings(readShapes(config as string));
    return [result, describeLoadings(result)];
  });
}

function addSurroundings(program: Command, root: string): void {
  const streams = program
    .command('streams')
    .description('events a second through chains of streams, and what the chain of a run adds to a step')
    .option('--events <n>', 'of each chain', Number, 100_000);
  measuring(streams, root, async () => {
    const { events } = streams.opts<{ readonly events: number }>();
    const result = await timeStreams(events);
    return [result, describeStreams(result)];
  });
  const datasets = program
    .command('datasets')
    .description('rows a second from the embedded tables to packed batches')
    .option('--rows <n>', 'at least so many', Number, 20_000);
  measuring(datasets, root, async () => {
    const { rows } = datasets.opts<{ readonly rows: number }>();
    const result = await timeBatches(root, rows);
    return [result, describeBatches(result)];
  });
  const monitor = program
    .command('monitor')
    .description('deliveries of metrics a second, to 1, 10 and 50 viewers')
    .option('--metrics <n>', 'published each time', Number, 2000);
  measuring(monitor, root, async () => {
    const { metrics } = monitor.opts<{ readonly metrics: number }>();
    const result = await timeDeliveries(metrics);
    return [result, describeDeliveries(result)];
  });
}
