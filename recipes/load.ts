/** @file Finds a recipe by name or file and puts overlays on it. Reads files; knows nothing about runs. */
import { dirname, extname, isAbsolute, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { readText } from '../formats/index.js';
import { complain, nearMatches, parseJson } from '../foundation/index.js';
import { isAddress } from '../remote/index.js';
import { backdoor } from './backdoor.js';
import { backdoorProxy } from './backdoor-proxy.js';
import { checkRecipe } from './explain.js';
import { jailbreak } from './jailbreak.js';
import { instruct } from './instruct.js';
import { isPlain, overlay, withValue, type Plain } from './overlay.js';
import { oracle, pretrain } from './pretrain.js';
import { PUBLISHED } from './published.js';
import { r2d2 } from './r2d2.js';
import { relearn, relearnFacts } from './relearn.js';
import type { Recipe } from './schema.js';
import { tiny } from './tiny.js';
import { whp } from './whp.js';
import { wmdp } from './wmdp.js';

/** The recipes that come with latstream. */
export const RECIPES: Readonly<Record<string, () => Recipe>> = {
  tiny,
  jailbreak,
  backdoor,
  'backdoor-proxy': backdoorProxy,
  whp,
  wmdp,
  instruct,
  relearn,
  'relearn-facts': relearnFacts,
  r2d2,
  pretrain,
  oracle,
};

/** What the command line adds to a recipe. */
export interface RecipeOverrides {
  readonly seed?: number | undefined;
  readonly executor?: string | undefined;
  readonly precision?: string | undefined;
  /** `a.b=value` each; values are read as JSON where the schema takes that, else as text. */
  readonly set?: readonly string[] | undefined;
}

/**
 * A recipe by the name of one that comes with latstream, or from a `.json`, `.yaml` or `.yml` file: an overlay of the
 * recipe that its `base` names (an arm set to null is left out), or complete without one. Relative paths in a file are relative to the file.
 * @throws RECIPE_UNKNOWN, RECIPE_UNREADABLE, RECIPE_UNKNOWN_KEY, RECIPE_INVALID, RECIPE_SET
 */
export async function loadRecipe(source: string, overrides: RecipeOverrides = {}): Promise<Recipe> {
  const owner = `recipe ${source}`;
  const isFile = ['.json', '.yaml', '.yml'].includes(extname(source));
  let recipe: Recipe = isFile ? await fromFile(source, owner) : builtIn(source);
  const { seed, executor, precision } = overrides;
  if (seed !== undefined) recipe = checkRecipe({ ...recipe, seed }, owner);
  if (executor !== undefined) recipe = checkRecipe({ ...recipe, executor }, owner);
  if (precision !== undefined) recipe = checkRecipe({ ...recipe, precision }, owner);
  return withSettings(recipe, overrides.set ?? [], owner);
}

/**
 * The recipe with values of it changed, its arms checked.
 * @param settings as `set` of {@link RecipeOverrides}.
 * @param owner who is to blame in messages: `recipe tiny`.
 * @throws RECIPE_SET, RECIPE_ARM, RECIPE_UNKNOWN_KEY, RECIPE_INVALID
 */
export function withSettings(recipe: Recipe, settings: readonly string[], owner: string): Recipe {
  const changed = settings.reduce((before, setting) => withSetting(before, setting, owner), recipe);
  for (const arm of Object.keys(changed.arms)) recipeOfArm(changed, arm);
  recipeOfPreparation(changed);
  return changed;
}

/**
 * The recipe as one of its arms runs it.
 * @throws RECIPE_ARM, RECIPE_UNKNOWN_KEY, RECIPE_INVALID
 */
export function recipeOfArm(recipe: Recipe, arm: string): Recipe {
  return laidOver(recipe, recipe.arms[arm] ?? {}, `recipe ${recipe.name}, arm ${arm}`);
}

/**
 * The recipe as what prepares its model runs it; undefined where nothing does.
 * @throws RECIPE_ARM, RECIPE_UNKNOWN_KEY, RECIPE_INVALID
 */
export function recipeOfPreparation(recipe: Recipe): Recipe | undefined {
  if (!recipe.prepare) return undefined;
  const owner = `recipe ${recipe.name}, prepare`;
  const own = laidOver(recipe, recipe.prepare, owner);
  return { ...own, evaluate: { ...own.evaluate, latent: null } };
}

function laidOver(recipe: Recipe, over: Plain, owner: string): Recipe {
  const places = ['executor', 'device', 'threads', 'precision', 'lossScale', 'weights'];
  const shared = ['name', ...places, 'model', 'synthetic', 'prepare', 'proxy', 'arms'];
  const changed = Object.keys(over).find((key) => shared.includes(key));
  if (changed !== undefined)
    complain({
      code: 'RECIPE_ARM',
      owner,
      expected:
        'an overlay of what arms may differ in (seed, data, steps, attack, pool, defend, evaluate, checkpoint)',
      got: changed,
      hint: 'set it for the whole recipe',
    });
  return checkRecipe(overlay(recipe, over), owner);
}

function builtIn(name: string): Recipe {
  const all = { ...RECIPES, ...PUBLISHED };
  const known = Object.keys(all);
  const make = Object.hasOwn(all, name) ? all[name] : undefined;
  if (make) return checkRecipe(make(), `recipe ${name}`);
  const near = nearMatches(name, known);
  return complain({
    code: 'RECIPE_UNKNOWN',
    owner: 'recipes',
    expected: `one of ${known.join(', ')}, or a .json, .yaml or .yml file`,
    got: name,
    hint: near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'name a recipe',
  });
}

async function fromFile(path: string, owner: string): Promise<Recipe> {
  const { base, ...rest } = await readOverlay(path, owner);
  const placed = resolvePaths(rest, dirname(resolve(path)));
  if (base === undefined) return checkRecipe(placed, owner);
  return checkRecipe(
    withoutNullArms(overlay(builtIn(typeof base === 'string' ? base : JSON.stringify(base)), placed)),
    owner,
  );
}

function withoutNullArms(recipe: Plain): Plain {
  const { arms } = recipe;
  if (!isPlain(arms)) return recipe;
  return { ...recipe, arms: Object.fromEntries(Object.entries(arms).filter(([, arm]) => arm !== null)) };
}

async function readOverlay(path: string, owner: string): Promise<Plain> {
  const unreadable = (got: string, cause?: unknown): never =>
    complain(
      {
        code: 'RECIPE_UNREADABLE',
        owner,
        expected: 'a JSON or YAML file with an object in it',
        got,
        hint: 'correct the file or its path',
      },
      { cause },
    );
  const text = await readText(path, LONGEST_RECIPE).catch((error: unknown) =>
    unreadable(`no readable file (${error instanceof Error ? error.message : String(error)})`, error),
  );
  try {
    const content: unknown = parseYaml(text, { logLevel: 'error' }); // JSON is YAML. Aliases that stand for too much are refused.
    checkDepth(content);
    return isPlain(content) ? content : unreadable(content === null ? 'nothing' : typeof content);
  } catch (error) {
    return unreadable(error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'no YAML', error);
  }
}

/** In bytes: many times what a recipe has to say. Comparing keys with each other takes YAML seconds beyond. */
const LONGEST_RECIPE = 2 ** 16;
/** Lists and objects in each other. */
const DEEPEST = 64;

/** An alias may hold itself: then there is no end to it. */
function checkDepth(node: unknown, depth = 0): void {
  if (depth > DEEPEST) throw new Error(`lists and objects nested more than ${DEEPEST} deep`);
  if (typeof node === 'object' && node !== null)
    for (const child of Object.values(node)) checkDepth(child, depth + 1);
}

/** Makes relative `path` and `tokenizer` entries absolute; `@out/` and `@package/` are resolved by the run. */
function resolvePaths(node: Plain, directory: string): Plain {
  const resolved = (key: string, value: unknown): unknown => {
    if (isPlain(value)) return resolvePaths(value, directory);
    if (Array.isArray(value)) return value.map((each: unknown) => resolved(key, each));
    const isPath = (key === 'path' || key === 'tokenizer') && typeof value === 'string';
    const relative = isPath && !isAbsolute(value) && !value.startsWith('@') && !isAddress(value);
    return relative ? resolve(directory, value) : value;
  };
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolved(key, value)]));
}

function withSetting(recipe: Recipe, setting: string, owner: string): Recipe {
  const equals = setting.indexOf('=');
  if (equals < 1)
    complain({
      code: 'RECIPE_SET',
      owner: `--set ${setting}`,
      expected: 'path=value, as in attack.epsilon=0.5',
      got: setting,
      hint: 'put an equals sign between the path and the value',
    });
  const path = setting.slice(0, equals).split('.');
  const text = setting.slice(equals + 1);
  const changed = (value: unknown): Recipe => checkRecipe(withValue(recipe, path, value), `${owner}, --set`);
  const value = asJson(text);
  if (value === undefined || typeof value === 'string') return changed(value ?? text);
  try {
    return changed(value);
  } catch (error) {
    // The schema may want this very text: a name that reads as a number.
    try {
      return changed(text);
    } catch {
      throw error;
    }
  }
}

function asJson(text: string): unknown {
  try {
    return parseJson(text, DEEPEST);
  } catch {
    return undefined;
  }
}
