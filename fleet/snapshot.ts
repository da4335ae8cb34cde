/**
 * @file A run's directory as of one moment, while its process goes on in it: hard links, made in an order that keeps what
 * is linked first true. Files appear by renaming and are not written again; only the record of metrics grows, at its end.
 */
import { copyFile, link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { namesIn } from '../daemon/index.js';

/** A file of a snapshot. */
export interface SnapshotFile {
  /** In the run's directory, with slashes. */
  readonly name: string;
  readonly path: string;
  /** What is behind was written later. */
  readonly bytes: number;
}

/** Appears when what it stands for is complete. */
const MARKER = /(^|\/)(evaluation|summary)\.json$/;
const CHECKPOINT = /^(.*\/step-\d+)\/[^/]+$/;
const RECORD = /(^|\/)metrics\.ndjson$/;
const STEPS = /(^|\/)step-(\d+)$/;
const MOST_TRIES = 20;

/**
 * @param into a directory that is not there, on the same file system
 * @returns what is in it. A checkpoint is in it whole or not at all, and the newest of every part is
 */
export async function snapshot(directory: string, into: string): Promise<readonly SnapshotFile[]> {
  for (let tries = 1; ; tries++) {
    await rm(into, { recursive: true, force: true });
    const names = await namesIn(directory);
    const lost = new Set<string>();
    const found: SnapshotFile[] = [];
    for (const name of names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))) {
      const bytes = await linked(join(directory, name), join(into, name));
      if (bytes === undefined) lost.add(CHECKPOINT.exec(name)?.[1] ?? name);
      else found.push({ name, path: join(into, name), bytes });
    }
    // One that was removed meanwhile is old; unless a newer one took its place, which is not in it then.
    const whole = found.filter(({ name }) => !lost.has(CHECKPOINT.exec(name)?.[1] ?? ''));
    if (![...lost].some((name) => isNewest(name, whole))) return whole;
    if (tries === MOST_TRIES)
      throw new Error(`checkpoints in ${directory} go faster than they can be linked`);
  }
}

/** What makes others worth something comes after them on disk, and so is looked at before them. */
function rank(name: string): number {
  if (MARKER.test(name)) return 0;
  if (CHECKPOINT.test(name)) return 1;
  return RECORD.test(name) ? 3 : 2;
}

/** Whether no later checkpoint of its part is in the snapshot. */
function isNewest(lost: string, found: readonly SnapshotFile[]): boolean {
  const step = Number(STEPS.exec(lost)?.[2] ?? Number.NaN);
  if (Number.isNaN(step)) return false;
  const kept = found
    .map(({ name }) => CHECKPOINT.exec(name)?.[1])
    .filter((each) => each !== undefined && dirname(each) === dirname(lost))
    .map((each) => Number(STEPS.exec(each ?? '')?.[2]));
  return kept.every((each) => each < step);
}

/** @returns its size; undefined where it is gone */
async function linked(from: string, to: string): Promise<number | undefined> {
  await mkdir(dirname(to), { recursive: true });
  try {
    // Where a file system has no hard links, there are copies.
    await link(from, to).catch((error: unknown) => (isMissing(error) ? raise(error) : copyFile(from, to)));
    return (await stat(to)).size;
  } catch (error) {
    return isMissing(error) ? undefined : raise(error);
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function raise(error: unknown): never {
  throw error;
}
