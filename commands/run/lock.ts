/** @file One process at a time on a run. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { complain, LatstreamError } from '../../foundation/index.js';
import { lockFile, type Release } from '../../formats/index.js';
import { notWritable } from '../outputs.js';

/** The file's name in the run's directory. */
export const LOCK = 'run.lock';

/**
 * Takes a run for this process; the lock of a process that is gone is taken over.
 * @throws RUN_BUSY where a living process has it; OUT_NOT_WRITABLE
 */
export function lockRun(directory: string): Promise<Release> {
  return lock(directory, LOCK);
}

/** How long a process that works for nobody any more may take to notice: one program run, which can be a long one. */
const LONGEST_ORPHAN_MS = 300_000;

/**
 * Takes the work on a run for this process, until it ends; waits for one whose parent was killed.
 * @throws as {@link lockRun}
 */
export async function lockWork(directory: string, longestMs = LONGEST_ORPHAN_MS): Promise<Release> {
  const start = Date.now();
  for (;;) {
    try {
      return await lock(directory, `${LOCK}.work`);
    } catch (error) {
      const busy = error instanceof LatstreamError && error.code === 'RUN_BUSY';
      if (!busy || Date.now() - start > longestMs) throw error;
      await pause(100);
    }
  }
}

async function lock(directory: string, name: string): Promise<Release> {
  const path = join(directory, name);
  const busy = (pid: number): never =>
    complain({
      code: 'RUN_BUSY',
      owner: `run ${directory}`,
      expected: 'a run that no process works on',
      got: `one that process ${pid} has`,
      hint: `wait for it or stop it; if that process is not latstream, delete ${path}`,
    });
  try {
    return await lockFile(path, busy);
  } catch (error) {
    if (error instanceof LatstreamError) throw error;
    return notWritable(path, error);
  }
}
