/** @file `latstream train`: the process that serves people starts that of the run, shows it, and says how it ended. */
import type { Command } from 'commander';
import { complain, LatstreamError } from '../foundation/index.js';
import { loadRecipe, type Recipe } from '../recipes/index.js';
import { abandonRun, beginRun, findRun, type RunDirectory } from './run/directory.js';
import { EXIT, saidBriefly } from './exit.js';
import { fetched, pinned } from './fetch.js';
import type { Costs } from './run/messages.js';
import { settled } from './run/settled.js';
import { collect, executorOption, precisionOption, whole } from './options.js';
import { openMonitor, type Monitoring } from './run/monitoring.js';
import type { JobEnd } from './run/run-child.js';
import { Spectator } from './run/spectator.js';
import { evaluationTable, tableOf, type Summary } from './run/summary.js';
import { megabytes, triedCosts } from './run/tried-costs.js';
import { watched } from './run/watched.js';

interface TrainOptions {
  readonly out?: string;
  readonly resume?: string;
  readonly port?: number;
  readonly host: string;
  readonly executor?: string;
  readonly precision?: string;
  readonly seed?: number;
  readonly set: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train the arms of a recipe, live at a local address, and compare them')
    .argument('[recipe]', 'jailbreak, tiny, pretrain, or a .json, .yaml or .yml file; not with --resume')
    .option('--out <dir>', "the run's directory (default: runs/NAME-SEED)")
    .option('--resume <dir>', 'go on with the run in this directory')
    .option(
      '--port <n>',
      'of the live page; 0 for any free one (default: 7077, or any free one)',
      whole(0, 65535),
    )
    .option('--host <address>', 'that the live page listens on', '127.0.0.1')
    .addOption(executorOption())
    .addOption(precisionOption())
    .option('--seed <n>', "instead of the recipe's", whole(0))
    .option('--set <path=value>', 'override a value of the recipe; repeatable', collect, [])
    .option('--dry-run', 'print trained parameters, expected memory and seconds per step; write nothing')
    .option('--json', 'print the summary (or the costs) as JSON')
    .action((source: string | undefined, options: TrainOptions) => train(source, options));
}

async function train(source: string | undefined, options: TrainOptions): Promise<void> {
  if (options.dryRun) return dryRun(await recipeOf(source, options), options);
  const begun = await runOf(source, options);
  const { out, recipe } = begun;
  let monitor: Monitoring | undefined;
  try {
    monitor = await openMonitor(recipe, out, options);
    const spectator = new Spectator(recipe, options.json === true);
    spectator.note(`run directory ${out}`);
    spectator.note(`live page ${monitor.url}`);
    const spec = { recipe: await fetched(recipe), out, dryRun: false };
    const end = await watched(spec, spectator, monitor);
    monitor.state('done', ...(end.type === 'stopped' ? ['stopped, everything saved'] : []));
    report(end, out, options);
    await monitor.close();
  } catch (error) {
    monitor?.state('failed', saidBriefly(error));
    await monitor?.close();
    // A run whose process was killed can be gone on with, even before its first metric: that is what the error says.
    const died = error instanceof LatstreamError && ['RUN_DIED', 'RUN_MEMORY'].includes(error.code);
    if (options.resume === undefined && !monitor?.begun && !died) await abandonRun(begun);
    throw error;
  } finally {
    begun.release();
  }
}

async function runOf(source: string | undefined, options: TrainOptions): Promise<RunDirectory> {
  if (options.resume === undefined)
    return beginRun(await pinned(await recipeOf(source, options)), options.out);
  const fixed =
    source ?? options.out ?? options.seed ?? options.executor ?? options.precision ?? options.set[0];
  if (fixed !== undefined)
    complain({
      code: 'USAGE_RESUME',
      owner: 'train --resume',
      expected: 'only the directory: recipe, seed and settings are those that the run began with',
      got: String(fixed),
      hint: 'leave out the recipe, --out, --seed, --executor, --precision and --set',
    });
  return findRun(options.resume);
}

async function recipeOf(source: string | undefined, options: TrainOptions): Promise<Recipe> {
  if (source !== undefined) return settled(await loadRecipe(source, options));
  return complain({
    code: 'USAGE_RECIPE',
    owner: 'train',
    expected: 'the name of a recipe, or --resume DIR',
    got: 'neither',
    hint: 'try latstream train tiny',
  });
}

function report(end: JobEnd, out: string, options: TrainOptions): void {
  if (end.type === 'done') {
    process.stdout.write(options.json ? `${JSON.stringify(end.summary)}\n` : summaryText(end.summary, out));
    return;
  }
  process.stderr.write(`stopped; go on with: latstream train --resume ${out}\n`);
  process.exitCode = EXIT.interrupted;
}

function summaryText({ base, arms, difference }: Summary, out: string): string {
  const models = [
    ['base', base] as const,
    ...arms.map(({ name, evaluation }) => [name, evaluation] as const),
  ];
  const weights = arms.map(({ name, weights: directory }) => `${name}: ${directory}`);
  return [
    '',
    evaluationTable(models, difference),
    '',
    '[low, high]: 95 % intervals (Wilson; of differences, in percentage points, Newcombe paired)',
    ...weights,
    `summary: ${out}/summary.json`,
    '',
  ].join('\n');
}

async function dryRun(recipe: Recipe, options: TrainOptions): Promise<void> {
  const costs = await triedCosts(recipe, options.json === true);
  process.stdout.write(options.json ? `${JSON.stringify(costs)}\n` : `${costsTable(costs)}\n`);
}

function costsTable(costs: readonly Costs[]): string {
  return tableOf([
    [
      'arm',
      'parameters',
      'trained',
      'weights',
      'optimizer',
      'peak memory',
      'compiling',
      's/step',
      'steps',
      'training',
    ],
    ...costs.map((cost) => [
      cost.arm,
      cost.parameters.toLocaleString('en'),
      cost.trainedParameters.toLocaleString('en'),
      megabytes(cost.weightBytes),
      megabytes(cost.optimizerBytes),
      megabytes(cost.residentBytes),
      `${cost.compileSeconds.toFixed(1)} s`,
      cost.secondsPerStep.toFixed(3),
      String(cost.steps),
      `${(cost.compileSeconds + cost.secondsPerStep * cost.steps).toFixed(0)} s`,
    ]),
  ]);
}
