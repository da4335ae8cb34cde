/** @file The end of a run's process whose parent is gone: nobody would hear it, and another may go on with the run. */

const parent = process.ppid;

/** To be called before every program run: a computation does not let the event loop see that the channel closed. */
export function endIfOrphaned(): void {
  if (process.send && process.ppid !== parent) process.exit(1);
}
