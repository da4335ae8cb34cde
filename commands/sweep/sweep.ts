/** @file `latstream sweep`: a grid over a recipe fills the queue of a daemon, and one table with what comes back. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { complain } from '../../foundation/index.js';
import { loadRecipe, type Recipe } from '../../recipes/index.js';
import {
  axesOf,
  axisText,
  cellsOf,
  cellText,
  checkOrder,
  fill,
  Follower,
  orderOf,
  patient,
  planOf,
  type Axis,
  type Plan,
  type RunQueue,
  type Standing,
} from '../../sweeps/index.js';
import { clientOf, withDaemon, type ClientOptions } from '../daemon-client.js';
import { EXIT } from '../exit.js';
import { collect, integer, names, whole } from '../options.js';
import { portable } from '../run/places.js';
import { progressBar } from '../progress.js';
import { followed } from './follow.js';
import { printDryRun } from './dry-run.js';
import { sweepDirectory, tellSweep } from './results.js';
import { SweepView } from './view.js';

/** Runs of a sweep, unless more are asked for. */
const MOST_CELLS = 1000;

export interface SweepOptions extends ClientOptions {
  readonly grid: readonly string[];
  readonly zip: readonly (readonly string[])[];
  readonly random?: number;
  readonly randomSeed: number;
  readonly cells: number;
  readonly name?: string;
  readonly set: readonly string[];
  readonly priority: number;
  readonly retry?: boolean;
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly costs?: boolean;
  readonly arm?: string;
  readonly sort?: string;
  readonly out?: string;
}

export function addSweep(program: Command): void {
  withDaemon(program.command('sweep'), 'print cells and means as JSON')
    .description(
      'queue a run for every cell of a grid with a daemon, and show what they come to in one table',
    )
    .argument('<recipe>', 'as for train')
    .option(
      '--grid <path=values>',
      'what is varied: epsilon=0.5,1 seed=0..4 learningRate=log(1e-5,1e-3,3) layers=[4,8],[8,12], any path of the recipe; repeatable, every combination is a run',
      collect,
      [],
    )
    .option('--zip <paths>', 'axes a,b that go together, first with first; repeatable', collectNames, [])
    .option('--random <n>', 'so many of all combinations, drawn by --random-seed', whole(1))
    .option('--random-seed <n>', 'of --random', whole(0), 0)
    .option('--cells <n>', 'runs at most', whole(1), MOST_CELLS)
    .option('--name <name>', "of the sweep: its cells are found again by it (default: the recipe's)")
    .option('--set <path=value>', 'override a value of the recipe; repeatable', collect, [])
    .option('--priority <n>', 'of its runs: the greater goes first', integer, 0)
    .option('--retry', 'run cells again that failed, or were paused, stopped or cancelled')
    .option('--detach', 'do not wait: the same command shows later what there is')
    .option('--dry-run', 'print the cells; submit nothing')
    .option('--costs', 'with --dry-run: try a few steps of every setting here, for memory and time')
    .option('--arm <name>', 'whose figures are shown (default: the last)')
    .option('--sort <column>', 'by a setting, an attack or a table, as in latent, or benign:desc')
    .option('--out <dir>', "where the results are written (default: sweeps/NAME in the daemon's state)")
    .action(sweep);
}

async function sweep(source: string, options: SweepOptions): Promise<void> {
  const axes = axesOf(options.grid.length > 0 ? options.grid : refuseEmpty());
  const base = await loadRecipe(source, { set: options.set });
  const arm = armOf(base, options.arm);
  const order = options.sort === undefined ? undefined : orderOf(options.sort);
  const plan = planned(base, axes, options);
  if (options.dryRun) return printDryRun(plan, options);
  const directory = await sweepDirectory(plan.name, options);
  const view = new SweepView(arm, options.json === true, order);
  await filled(plan, options, view);
  const { standings, interrupted } = await results(plan, options, view);
  const about = `Recipe ${base.name}; ${axes.map(axisText).join(' × ')}.`;
  await tellSweep({ plan, axes, about, standings, arm, directory }, options, order);
  if (order) checkOrder(standings, arm, order);
  if (interrupted) leave();
  else if (!options.detach) refuseIncomplete(standings);
}

function planned(base: Recipe, axes: readonly Axis[], options: SweepOptions): Plan {
  const { zip, random, randomSeed: seed, cells: most, name = base.name } = options;
  const drawn = random === undefined ? undefined : { count: random, seed };
  return planOf(name, base, cellsOf(axes, { zip, random: drawn, most }), portable);
}

async function filled(plan: Plan, options: SweepOptions, view: SweepView): Promise<void> {
  const { retry = false, priority } = options;
  let [submitted, resumed] = [0, 0];
  const bar = options.json ? undefined : progressBar('filling the queue', plan.cells.length);
  const count = (_: unknown, how: 'submitted' | 'resumed'): void => {
    if (how === 'submitted') submitted += 1;
    else resumed += 1;
    bar?.step();
  };
  try {
    await fill(await queueOf(options), plan, { retry, priority, filled: count });
  } finally {
    bar?.stop();
    const there = plan.cells.length - submitted - resumed;
    const again = resumed > 0 ? `, ${resumed} resumed` : '';
    view.note(
      `sweep ${plan.name}: ${plan.cells.length} cells, ${submitted} submitted${again}, ${there} left alone`,
    );
  }
}

async function results(
  plan: Plan,
  options: SweepOptions,
  view: SweepView,
): Promise<{ readonly standings: readonly Standing[]; readonly interrupted: boolean }> {
  if (!options.detach) return followed(plan, () => queueOf(options), view);
  return { standings: await new Follower(plan).look(await queueOf(options)), interrupted: false };
}

async function queueOf(options: SweepOptions): Promise<RunQueue> {
  return patient(await clientOf(options), pause);
}

function armOf({ name, arms }: Recipe, asked: string | undefined): string {
  const known = Object.keys(arms);
  if (asked === undefined) return known.at(-1) ?? 'base';
  if (asked === 'base' || known.includes(asked)) return asked;
  return complain({
    code: 'SWEEP_ARM',
    owner: `--arm ${asked}`,
    expected: `an arm of ${name}: ${known.join(', ')}, or base`,
    got: asked,
    hint: 'name one of them',
  });
}

function collectNames(value: string, before: readonly (readonly string[])[]): (readonly string[])[] {
  return [...before, names(value)];
}

function leave(): void {
  process.stderr.write('the runs go on; the same command shows them again\n');
  process.exitCode = EXIT.interrupted;
}

function refuseEmpty(): never {
  return complain({
    code: 'SWEEP_GRID',
    owner: 'sweep',
    expected: 'at least one --grid path=value,value,…',
    got: 'none',
    hint: 'as in --grid epsilon=0.5,1,2 --grid seed=0..4',
  });
}

/** @throws SWEEP_INCOMPLETE where a cell did not come to its end */
function refuseIncomplete(standings: readonly Standing[]): void {
  const rest = standings.filter(({ run, damage }) => run?.state !== 'done' || damage !== undefined);
  const [first] = rest;
  if (!first) return;
  complain({
    code: 'SWEEP_INCOMPLETE',
    owner: 'sweep',
    expected: 'every cell done',
    got: `${rest.length} of ${standings.length} that are not, ${cellText(first.cell)} (${first.run?.state ?? 'missing'}) the first`,
    hint: 'the table says why; the same command with --retry runs them again',
  });
}
