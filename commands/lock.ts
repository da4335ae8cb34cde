/** @file One process at a time on a run. */
import { join } from 'node:path';
import { complain, LatstreamError } from '../foundation/index.js';
import { lockFile, type Release } from '../formats/index.js';
import { notWritable } from './outputs.js';

/** The file's name in the run's directory. */
export const LOCK = 'run.lock';

/**
 * Takes a run for this process; the lock of a process that is gone is taken over.
 * @throws RUN_BUSY where a living process has it; OUT_NOT_WRITABLE
 */
export async function lockRun(directory: string): Promise<Release> {
  const path = join(directory, LOCK);
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
