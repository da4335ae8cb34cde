/** @file What a recipe costs, found out by trying a few steps of each arm in a process of its own; nothing is kept. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Recipe } from '../../recipes/index.js';
import { fetched } from '../fetch.js';
import type { Costs } from './messages.js';
import { placed } from './places.js';
import { Spectator } from './spectator.js';
import { watched } from './watched.js';

/** @param quiet says nothing on the way. @returns what it cost by arm; nothing where it was stopped */
export async function triedCosts(recipe: Recipe, quiet: boolean): Promise<readonly Costs[]> {
  const out = await mkdtemp(`${tmpdir()}/latstream-dry-`);
  try {
    const spec = { recipe: await fetched(placed(recipe, out)), out, dryRun: true };
    const end = await watched(spec, new Spectator(recipe, quiet));
    return end.type === 'costs' ? end.costs : [];
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** `512 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}
