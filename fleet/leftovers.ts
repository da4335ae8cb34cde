/** @file Directories that killed workers left on this machine: those of runs that somebody else has taken since. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kept } from './run.js';

/** `NAME-ID-EPOCH`, and beside it what a publishing was made of. */
const PLACE = /^(.+)-([0-9a-f]{8})-([1-9]\d*)(\.publishing)?$/;

/** Where a worker has a run that it took with an epoch. */
export function placeOf({ name, id }: Kept['run'], epoch: number): string {
  return `${name}-${id}-${epoch}`;
}

/**
 * Removes what is left in the folder where this daemon's runs get their directories. Nothing else goes: no link, no file, nothing of a
 * run that the queue does not know or that this daemon has, nothing of the newest epoch.
 * @param mine ids of runs that this daemon has. @returns names of what was removed
 */
export async function removeLeftDirectories(
  folder: string,
  all: readonly Kept[],
  mine: ReadonlySet<string>,
): Promise<readonly string[]> {
  const known = new Map(all.map((kept) => [kept.run.id, kept]));
  const removed: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [, , id = '', epoch = ''] = PLACE.exec(entry.name) ?? [];
    const kept = known.get(id);
    if (!entry.isDirectory() || !kept || mine.has(id) || Number(epoch) >= kept.epoch) continue;
    const place = placeOf(kept.run, Number(epoch));
    if (entry.name !== place && entry.name !== `${place}.publishing`) continue;
    if (join(folder, entry.name) === kept.run.directory) continue;
    await rm(join(folder, entry.name), { recursive: true, force: true });
    removed.push(entry.name);
  }
  return removed;
}
