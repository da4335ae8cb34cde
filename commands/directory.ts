/** @file A run's directory: chosen, begun, or found again. Knows nothing about what happens in it. */
import { access, mkdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeAtomically } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { checkRecipe, type Recipe } from '../recipes/index.js';
import { placed } from './places.js';

/** What a run's directory is known by: its recipe, whole and frozen, every path absolute. */
const RECIPE = 'recipe.json';
/** The record of its metrics. */
export const METRICS = 'metrics.ndjson';

/** A run that can be started or gone on with. */
export interface RunDirectory {
  readonly out: string;
  readonly recipe: Recipe;
}

/**
 * Begins a run.
 * @param out where the user wants it; without it `runs/NAME-SEED`, or the next free `runs/NAME-SEED-2`, ….
 * @throws RUN_EXISTS where `out` already holds a run
 */
export async function beginRun(recipe: Recipe, out?: string): Promise<RunDirectory> {
  const directory = out === undefined ? await freeDirectory(recipe) : resolve(out);
  if (await exists(join(directory, RECIPE)))
    complain({
      code: 'RUN_EXISTS',
      owner: `run ${directory}`,
      expected: 'a directory without a run',
      got: 'one that was begun before',
      hint: `go on with it by --resume ${directory}, or choose another --out`,
    });
  await mkdir(directory, { recursive: true });
  const frozen = placed(recipe, directory);
  await writeAtomically(join(directory, RECIPE), [`${JSON.stringify(frozen, null, 2)}\n`]);
  return { out: directory, recipe: frozen };
}

/**
 * Finds a run again.
 * @throws RUN_MISSING, and what checking its recipe throws
 */
export async function findRun(directory: string): Promise<RunDirectory> {
  const out = resolve(directory);
  const path = join(out, RECIPE);
  const text = await readFile(path, 'utf8').catch((error: unknown) =>
    complain(
      {
        code: 'RUN_MISSING',
        owner: `run ${out}`,
        expected: `${RECIPE}, which every run begins with`,
        got: 'none that can be read',
        hint: 'name the directory that was given as --out',
      },
      { cause: error },
    ),
  );
  return { out, recipe: checkRecipe(JSON.parse(text), `recipe ${path}`) };
}

/** Takes back {@link beginRun} where nothing has happened yet, so that the same command can be tried again. */
export async function abandonRun(out: string): Promise<void> {
  for (const name of [RECIPE, METRICS]) await rm(join(out, name), { force: true });
  await rm(join(out, 'synthetic'), { recursive: true, force: true });
  await rmdir(out).catch(() => undefined); // not empty: it was there before
}

async function freeDirectory({ name, seed }: Recipe): Promise<string> {
  const first = resolve('runs', `${name}-${seed}`);
  for (let number = 1; ; number++) {
    const directory = number === 1 ? first : `${first}-${number}`;
    if (!(await exists(join(directory, RECIPE)))) return directory;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
