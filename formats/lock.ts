/** @file One process at a time on something: a file with its name, which a killed process cannot keep. */
import { rmSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isAlive, ownName, pidOf } from './process-name.js';

/** Lets others have it; a second call does nothing. */
export type Release = () => void;

/** Locks of this very process: in a container the next process often has the pid of the last one. */
const held = new Set<string>();
/** The last of this process's attempts at a lock: one after the other, since between two of them a lock made is not yet held. */
const attempts = new Map<string, Promise<Release>>();

/**
 * Takes a lock for this process; that of a process that is gone is taken over.
 * @param busy says what is to be said where a living process has it: called with that one's pid.
 * @throws what `busy` throws, and what the operating system says.
 */
export async function lockFile(path: string, busy: (pid: number) => never): Promise<Release> {
  const before: Promise<unknown> = attempts.get(path) ?? Promise.resolve();
  const attempt = before.catch(() => undefined).then(() => attemptLock(path, busy));
  attempts.set(path, attempt);
  try {
    return await attempt;
  } finally {
    if (attempts.get(path) === attempt) attempts.delete(path);
  }
}

/** The process that has a lock; undefined where none that lives has. */
export async function lockHolder(path: string): Promise<number | undefined> {
  const owner = await readFile(path, 'utf8').catch(() => '');
  return isAlive(owner) ? pidOf(owner) : undefined;
}

async function attemptLock(path: string, busy: (pid: number) => never): Promise<Release> {
  while (!(await taken(path))) await removeStale(path, busy);
  held.add(path);
  return () => {
    if (held.delete(path)) rmSync(path, { force: true });
  };
}

async function taken(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${ownName()}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the lock away before it goes: of two processes that find it stale, only one moves it. */
async function removeStale(path: string, busy: (pid: number) => never): Promise<void> {
  const owner = await ownerOf(path);
  if (owner === undefined) return; // released meanwhile
  if (isBusy(owner, path)) busy(pidOf(owner));
  const aside = `${path}.${process.pid}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const found = await ownerOf(aside);
  // Between looking and moving the other one may have locked it anew: give that lock back.
  if (found !== owner && found !== undefined && isAlive(found)) {
    await rename(aside, path);
    if (isBusy(found, path)) busy(pidOf(found));
  }
  await rm(aside, { force: true });
}

function isBusy(owner: string, path: string): boolean {
  return pidOf(owner) === process.pid ? held.has(path) : isAlive(owner);
}

/** Whose a lock is; empty where a crash left no name; undefined where there is no lock. */
async function ownerOf(path: string): Promise<string | undefined> {
  const read = (): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);
  let text = await read();
  if (text === '') {
    // Made a moment ago, perhaps: its owner's name follows at once unless that was killed between the two.
    await new Promise((resolve) => setTimeout(resolve, 200));
    text = await read();
  }
  return text?.trim();
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
