/** @file Whoever reads what is printed may leave, as `head` does: that is no defect, and no reason to lose a training. */

/** What these do is kept on disk or served: what they print is said besides. */
const WORKS_ON: readonly string[] = ['train', 'relearn', 'daemon'];

let running: string | undefined;

/** The one that runs, by name: by it is decided what follows when a reader leaves. */
export function commandRuns(name: string): void {
  running = name;
}

/** Of the process: once. */
export function outliveReaders(): void {
  process.stdout.on('error', left);
  process.stderr.on('error', left);
}

function left(this: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (this === process.stdout && !WORKS_ON.includes(running ?? '')) process.exit();
}
