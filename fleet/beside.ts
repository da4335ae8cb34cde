/** @file What a daemon of a shared queue does beside its runs: it listens to what is said to them, is heard of, and looks for runs that nothing stands for, and for what killed workers left. */
import type { Jobs } from './jobs.js';
import { KEYS } from './keys.js';
import type { Ledger } from './ledger.js';
import type { Connection } from './redis.js';
import type { Kept } from './run.js';
import type { Workers } from './workers.js';

export interface BesideParts {
  readonly redis: Connection;
  readonly workers: Workers;
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  /** Looks through the directories of this machine. */
  readonly tidy: (all: readonly Kept[]) => Promise<void>;
  readonly nudged: (id: string) => void;
  /** Hears what went wrong, and will be tried again. */
  readonly failed: (error: unknown) => void;
}

/** @returns what ends it */
export async function beside(parts: BesideParts): Promise<() => Promise<void>> {
  const { redis, jobs, failed } = parts;
  const ears = redis.duplicate();
  ears.on('error', () => undefined); // it connects again, and listens again
  ears.on('message', (_, id: string) => parts.nudged(id));
  await ears.subscribe(KEYS.nudges);
  await jobs.start();
  let last: Promise<void> = Promise.resolve();
  const turn = (): void => {
    last = last.then(() => round(parts)).catch(failed);
  };
  turn();
  const timer = setInterval(turn, jobs.lockMilliseconds / 2);
  return async () => {
    clearInterval(timer);
    await last;
    ears.disconnect();
    await parts.workers.leave().catch(() => undefined);
  };
}

async function round({ workers, ledger, jobs, tidy }: BesideParts): Promise<void> {
  await workers.say();
  // Whoever changed a run may have died before a job stood for it.
  const all = await ledger.all();
  const runs = all.map(({ run }) => run).filter(({ job }) => job !== null);
  const present = await jobs.present(runs.flatMap(({ job }) => job ?? []));
  for (const run of runs) if (!present.has(run.job ?? '')) await jobs.add(run, Date.now());
  await tidy(all);
}
