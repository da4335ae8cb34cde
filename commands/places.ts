/** @file Where things are: the package, a run's directory, and paths of a recipe that begin with either. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userCache } from '../formats/index.js';
import { isAddress } from '../remote/index.js';
import type { Recipe, TrainingSourceConfig } from '../recipes/index.js';

/** The package's directory: this file is in `commands/` of it, or in `dist/commands/`. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
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

/** The recipe with every path absolute. */
export function placed(recipe: Recipe, out: string): Recipe {
  const table = <T extends { readonly path: string } | null>(source: T): T =>
    source && { ...source, path: place(source.path, out) };
  const dataset = ({ path, ...rest }: TrainingSourceConfig): TrainingSourceConfig => ({
    ...rest,
    ...(path !== undefined && {
      path: typeof path === 'string' ? place(path, out) : path.map((each) => place(each, out)),
    }),
  });
  const datasets = (given: Recipe['data']['pairs']): Recipe['data']['pairs'] =>
    Array.isArray(given) ? given.map(dataset) : dataset(given);
  const { model, data, evaluate } = recipe;
  return {
    ...recipe,
    model:
      model.kind === 'directory'
        ? { ...model, path: place(model.path, out) }
        : { ...model, tokenizer: place(model.tokenizer, out) },
    data: {
      ...data,
      pairs: datasets(data.pairs),
      benign: data.benign && datasets(data.benign),
      ...(data.cache && { cache: place(data.cache, out) }),
    },
    evaluate: {
      ...evaluate,
      harmful: table(evaluate.harmful),
      benign: table(evaluate.benign),
      ...(evaluate.probes && {
        probes: Object.fromEntries(
          Object.entries(evaluate.probes).map(([name, probe]) => [
            name,
            { ...probe, path: place(probe.path, out) },
          ]),
        ),
      }),
    },
  };
}
