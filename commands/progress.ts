/** @file Progress bars on stderr: there for people at a terminal, silent otherwise. */
import { SingleBar } from 'cli-progress';

export interface ProgressBar {
  step(): void;
  /** Sets it to a value, with a note behind it. */
  update(value: number, note?: string): void;
  stop(): void;
}

/** A bar that goes to `total`; nothing is drawn where stderr is no terminal. */
export function progressBar(label: string, total: number): ProgressBar {
  if (!process.stderr.isTTY) return { step: () => undefined, update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    format: `${label} [{bar}] {value}/{total} {note}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
  });
  bar.start(total, 0, { note: '' });
  return {
    step: () => bar.increment(),
    update: (value, note = '') => bar.update(value, { note }),
    stop: () => bar.stop(),
  };
}
