/** @file Whoever reads what is printed may leave, as `head` does: that is no defect, and no reason to lose a training. */

/** What these do is kept on disk or served: what they print is said besides. */
const WORKS_ON: readonly string[] = ['train', 'relearn', 'daemon'];

/** @param command the one that runs, by name, when a reader has left. */
export function outliveReaders(command: () => string | undefined): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (stream === process.stdout && !WORKS_ON.includes(command() ?? '')) process.exit();
    });
}
