/** @file `latstream relearn`: a recipe of re-learning on every model of a run, beside each other. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { complain } from '../foundation/index.js';
import { loadRecipe, type Recipe } from '../recipes/index.js';
import { besides, experimentsOf } from '../report/index.js';
import { abandonRun, beginRun, findRun, METRICS, readRecipe, RECIPE, SUMMARY } from './run/directory.js';
import { settled } from './run/settled.js';
import { EXIT } from './exit.js';
import { fetched, pinned } from './fetch.js';
import { collect, executorOption, names, whole } from './options.js';
import { placed } from './run/places.js';
import { readRun } from './run/read-run.js';
import { figuresOfExperiment, writeReport } from './report.js';
import { Spectator } from './run/spectator.js';
import { requireArm } from './run/starting-model.js';
import { tableOf } from './run/summary.js';
import { watched } from './run/watched.js';

interface RelearnOptions {
  readonly recipe: string;
  readonly out?: string;
  readonly arms?: readonly string[];
  readonly oracle?: string;
  readonly executor?: string;
  readonly seed?: number;
  readonly set: readonly string[];
  readonly json?: boolean;
}

export function addRelearn(program: Command): void {
  program
    .command('relearn')
    .description('re-learn what the arms of a run were trained against, and compare the courses')
    .argument('<run>', "a run's directory")
    .option('--recipe <recipe>', 'relearn, relearn-facts, or a file', 'relearn')
    .option('--out <dir>', 'directory of a run for each model, and of report.html (default: RUN-relearn)')
    .option('--arms <names>', 'such as base,lat (default: base and all that are finished)', names)
    .option('--oracle <model>', 'one that never knew, beside them: a model folder, .gguf file or RUN/ARM')
    .addOption(executorOption())
    .option('--seed <n>', "instead of the run's", whole(0))
    .option('--set <path=value>', 'override a value of the recipe; repeatable', collect, [])
    .option('--json', 'print the figures as JSON')
    .action(relearn);
}

async function relearn(run: string, options: RelearnOptions): Promise<void> {
  const source = await readRecipe(run);
  const out = resolve(options.out ?? `${source.out}-relearn`);
  const seed = options.seed ?? source.recipe.seed;
  const recipe = await settled(await loadRecipe(options.recipe, { ...options, seed }));
  const models = modelsOf(source.out, source.recipe, options);
  for (const [name, model] of Object.entries(models))
    if (!(await learned({ ...recipe, model }, join(out, name), options))) {
      process.stderr.write('stopped; the same command goes on\n');
      process.exitCode = EXIT.interrupted;
      return;
    }
  const runs = [];
  for (const name of Object.keys(models)) runs.push(await readRun(join(out, name)));
  const experiments = experimentsOf(runs);
  const file = join(out, 'report.html');
  await writeReport(file, experiments);
  const tables = besides(experiments).flatMap(({ sections }) =>
    sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'table' ? [block] : []))),
  );
  if (options.json) {
    const courses = tables.map(({ caption, rows }) => ({ caption, rows }));
    const figures = { courses, experiments: experiments.map(figuresOfExperiment) };
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
    return;
  }
  const texts = tables.map(({ caption = '', rows }) => `${caption}\n${tableOf(rows)}\n`);
  process.stdout.write(`\n${[...texts, `report: ${file}`].join('\n')}\n`);
}

/** By the name of its folder. @throws RUN_ARM_MISSING, RUN_ARM_UNFINISHED */
function modelsOf(path: string, recipe: Recipe, options: RelearnOptions): Record<string, Recipe['model']> {
  const done = Object.keys(recipe.arms).filter((arm) => existsSync(join(path, arm, 'evaluation.json')));
  if (!options.arms && done.length === 0)
    complain({
      code: 'RUN_ARM_UNFINISHED',
      owner: `run ${path}`,
      expected: 'an arm that was trained and evaluated to its end',
      got: 'none',
      hint: `go on with it first: latstream train --resume ${path}`,
    });
  const chosen = options.arms ?? ['base', ...done];
  chosen.forEach((arm) => requireArm(path, recipe, arm));
  return {
    ...Object.fromEntries(chosen.map((arm) => [arm, { kind: 'run' as const, path, arm }])),
    ...(options.oracle !== undefined && { oracle: { kind: 'directory' as const, path: options.oracle } }),
  };
}

/** Runs a recipe, or what is left of it. @returns false where it was stopped */
async function learned(recipe: Recipe, out: string, { json }: RelearnOptions): Promise<boolean> {
  const fixed = await pinned(recipe);
  const isThere = existsSync(join(out, RECIPE));
  if (isThere) refuseOther((await readRecipe(out)).recipe, placed(fixed, out), out);
  if (existsSync(join(out, SUMMARY))) return true;
  const begun = await (isThere ? findRun(out) : beginRun(fixed, out));
  try {
    const spectator = new Spectator(begun.recipe, json === true);
    spectator.note(`run directory ${out}`);
    const end = await watched({ recipe: await fetched(begun.recipe), out, dryRun: false }, spectator);
    return end.type === 'done';
  } catch (error) {
    const record = await stat(join(out, METRICS)).catch(() => undefined);
    if (!record?.size) await abandonRun(begun);
    throw error;
  } finally {
    begun.release();
  }
}

/** @throws RUN_EXISTS */
function refuseOther(found: Recipe, wanted: Recipe, out: string): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    complain({
      code: 'RUN_EXISTS',
      owner: `run ${out}`,
      expected: 'this recipe with these settings, to go on with, or nothing',
      got: 'a run with others',
      hint: 'choose another --out',
    });
}
