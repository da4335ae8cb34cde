/** @file A run's directory: chosen, begun, or found again. Knows nothing about what happens in it. */
import { open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { syncFolder, type Release } from '../../formats/index.js';
import { complain, LatstreamError } from '../../foundation/index.js';
import { checkRecipe, type Recipe } from '../../recipes/index.js';
import { LOCK, lockRun } from './lock.js';
import { makeDirectory, notWritable } from '../outputs.js';
import { placed, portable } from './places.js';

/** What a run's directory is known by: its recipe, whole and frozen, every path absolute, or meaning the same wherever it is found. */
export const RECIPE = 'recipe.json';
/** The record of its metrics. */
export const METRICS = 'metrics.ndjson';
/** What it came to, once it is done. */
export const SUMMARY = 'summary.json';

/** A run that can be started or gone on with, and that no other process has until it is released. */
export interface RunDirectory {
  readonly out: string;
  readonly recipe: Recipe;
  /** Directories that were made for it, outermost first. */
  readonly made: readonly string[];
  readonly release: Release;
}

/**
 * Begins a run, in a directory that is new or empty: whatever is in it afterwards is the run's.
 * @param out where the user wants it; without it `runs/NAME-SEED`, or the next free `runs/NAME-SEED-2`, ….
 * @param movable who finds it may find it elsewhere: `@…` in its recipe are left to them.
 * @throws RUN_EXISTS, RUN_NOT_EMPTY, RUN_BUSY where `out` is taken; OUT_NOT_DIRECTORY, OUT_NOT_WRITABLE
 */
export async function beginRun(recipe: Recipe, out?: string, movable = false): Promise<RunDirectory> {
  if (out !== undefined) return beginAt(recipe, resolve(out), movable);
  const first = resolve('runs', `${recipe.name}-${recipe.seed}`);
  for (let number = 1; ; number++) {
    try {
      return await beginAt(recipe, number === 1 ? first : `${first}-${number}`);
    } catch (error) {
      if (!(error instanceof LatstreamError) || !TAKEN.has(error.code)) throw error;
    }
  }
}

const TAKEN = new Set(['RUN_EXISTS', 'RUN_NOT_EMPTY', 'RUN_BUSY']);

async function beginAt(recipe: Recipe, out: string, movable = false): Promise<RunDirectory> {
  const made = await makeDirectory(out);
  await refuseTaken(out);
  const release = await lockRun(out);
  try {
    await refuseTaken(out); // nobody began it while we waited for the lock
    const frozen = placed(recipe, out);
    await writeWhole(out, `${JSON.stringify(movable ? portable(recipe) : frozen, null, 2)}\n`);
    return { out, recipe: frozen, made, release };
  } catch (error) {
    release();
    await removeEmpty(made);
    throw error;
  }
}

/** Not by half: under a name that goes with the lock, which we have, and renamed. */
async function writeWhole(directory: string, text: string): Promise<void> {
  const temporary = join(directory, `${LOCK}.${RECIPE}`);
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(directory, RECIPE));
    await syncFolder(directory);
  } catch (error) {
    await rm(temporary, { force: true });
    notWritable(directory, error);
  }
}

async function refuseTaken(out: string): Promise<void> {
  const found = (await readdir(out)).filter((name) => !name.startsWith(LOCK));
  const owner = `run ${out}`;
  if (found.includes(RECIPE))
    complain({
      code: 'RUN_EXISTS',
      owner,
      expected: 'a directory without a run',
      got: 'one that was begun before',
      hint: `go on with it by --resume ${out}, or choose another --out`,
    });
  if (found.length > 0)
    complain({
      code: 'RUN_NOT_EMPTY',
      owner,
      expected: 'a directory that is new or empty',
      got: `one that holds ${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}`,
      hint: 'choose another --out',
    });
}

/**
 * Finds a run again.
 * @throws RUN_BUSY, and what {@link readRecipe} throws
 */
export async function findRun(directory: string): Promise<RunDirectory> {
  const found = await readRecipe(directory);
  return { ...found, made: [], release: await lockRun(found.out) };
}

/**
 * The recipe of a run that may be going on.
 * @throws RUN_MISSING, RUN_CORRUPT, and what checking it throws
 */
export async function readRecipe(directory: string): Promise<Pick<RunDirectory, 'out' | 'recipe'>> {
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
  return { out, recipe: placed(checkRecipe(parsedPart(text, path), `recipe ${path}`), out) };
}

/** A run's own file as JSON. @throws RUN_CORRUPT */
export function parsedPart(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return corruptPart(path, 'JSON', error instanceof Error ? error.message : String(error));
  }
}

/** @throws RUN_CORRUPT */
export function corruptPart(path: string, expected: string, got: string): never {
  return complain({
    code: 'RUN_CORRUPT',
    owner: `run, ${path}`,
    expected,
    got,
    hint: 'the file was damaged or changed: restore it, or begin a new run elsewhere',
  });
}

/** Takes back {@link beginRun} where nothing has happened yet, so that the same command can be tried again. */
export async function abandonRun({ out, recipe, made, release }: RunDirectory): Promise<void> {
  const ours = new Set([
    RECIPE,
    METRICS,
    'synthetic',
    'prepare',
    'proxy',
    'base',
    ...Object.keys(recipe.arms),
  ]);
  for (const name of await readdir(out))
    if (ours.has(name)) await rm(join(out, name), { recursive: true, force: true });
  release();
  await removeEmpty(made);
}

/** Where somebody put something into them meanwhile, they stay. */
async function removeEmpty(directories: readonly string[]): Promise<void> {
  for (const directory of [...directories].reverse()) await rmdir(directory).catch(() => undefined);
}
