/** @file Where things are: the package, a run's directory, and paths of a recipe that begin with either. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userCache } from '../../formats/index.js';
import { isAddress } from '../../remote/index.js';
import type { Recipe } from '../../recipes/index.js';

/** The package's directory: this file is in `commands/` of it, or in `dist/commands/`. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** Of latstream, as its package says. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string })
    .version;
}

/**
 * A path of a recipe: `@package/…`, `@out/…` (the run's directory), `@cache/…` (what this user's runs share), an address
 * elsewhere, or as the shell means it.
 */
export function place(path: string, out: string): string {
  if (path.startsWith('@package/')) return join(packageRoot(), path.slice('@package/'.length));
  if (path.startsWith('@out/')) return join(out, path.slice('@out/'.length));
  if (path.startsWith('@cache/')) return join(userCache(), path.slice('@cache/'.length));
  return isAddress(path) ? path : resolve(path);
}

/** Entries of a recipe that say where something is. */
const PLACES = new Set(['path', 'tokenizer', 'cache']);
/** Where any name may stand. */
const OPEN = new Set(['config', 'columns', 'wordings']);

/** The recipe with every path absolute, in overlays of arms too. */
export function placed(recipe: Recipe, out: string): Recipe {
  return withPlaces(recipe, (path) => place(path, out));
}

/** The recipe with what the shell means absolute, and `@…` left to whoever runs it. */
export function portable(recipe: Recipe): Recipe {
  return withPlaces(recipe, (path) => (path.startsWith('@') || isAddress(path) ? path : resolve(path)));
}

function withPlaces(recipe: Recipe, change: (path: string) => string): Recipe {
  const walk = (node: unknown, key: string): unknown => {
    if (typeof node === 'string') return PLACES.has(key) ? change(node) : node;
    if (Array.isArray(node)) return node.map((each) => walk(each, key));
    if (typeof node !== 'object' || node === null || OPEN.has(key)) return node;
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, walk(value, name)]));
  };
  return walk(recipe, '') as Recipe;
}

/** Where the weights of an arm are, in its directory, when it is trained. @param recipe the arm's own */
export function weightsDirectory({ defend }: Recipe, directory: string): string {
  return join(directory, defend.train.kind === 'adapters' ? 'adapter' : 'model');
}
