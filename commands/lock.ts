/** @file One process at a time on a run: a file with its pid, which a killed process cannot keep. */
import { readFileSync, rmSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { complain } from '../foundation/index.js';
import { codeOf, notWritable } from './outputs.js';

/** The file's name in the run's directory. */
export const LOCK = 'run.lock';

/** Lets others have the run; a second call does nothing. */
export type Release = () => void;

/** Locks of this very process: in a container the next process often has the pid of the last one. */
const held = new Set<string>();

/**
 * Takes a run for this process; the lock of a process that is gone is taken over.
 * @throws RUN_BUSY where a living process has it; OUT_NOT_WRITABLE
 */
export async function lockRun(directory: string): Promise<Release> {
  const path = join(directory, LOCK);
  while (!(await taken(path))) await removeStale(path, directory);
  held.add(path);
  return () => {
    if (held.delete(path)) rmSync(path, { force: true });
  };
}

async function taken(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? false : notWritable(path, error);
  }
}

/** Moves the lock away before it goes: of two processes that find it stale, only one moves it. */
async function removeStale(path: string, directory: string): Promise<void> {
  const owner = await ownerOf(path);
  if (owner === undefined) return; // released meanwhile
  refuseAlive(owner, path, directory);
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
    refuseAlive(found, path, directory);
  }
  await rm(aside, { force: true });
}

function refuseAlive(owner: number, path: string, directory: string): void {
  if (!(owner === process.pid ? held.has(path) : isAlive(owner))) return;
  complain({
    code: 'RUN_BUSY',
    owner: `run ${directory}`,
    expected: 'a run that no process works on',
    got: `one that process ${owner} has`,
    hint: `wait for it or stop it; if that process is not latstream, delete ${path}`,
  });
}

/** The pid in a lock; 0 where a crash left none; undefined where there is no lock. */
async function ownerOf(path: string): Promise<number | undefined> {
  const read = (): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);
  let text = await read();
  if (text === '') {
    // Made a moment ago, perhaps: its pid follows at once unless the process was killed between the two.
    await new Promise((resolve) => setTimeout(resolve, 200));
    text = await read();
  }
  return text === undefined ? undefined : Math.trunc(Number(text)) || 0;
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false; // 0 would be this process's whole group
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return codeOf(error) === 'EPERM'; // alive, and somebody else's
  }
}

/** Killed, but its parent has not asked how it ended, as happens in containers; known on Linux only. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
