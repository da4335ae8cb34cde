/** @file Viewers in processes of their own, as whoever sent them there sees them. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CrowdMessage, CrowdOrder, CrowdReport } from './crowd-process.js';

const ASK_AGAIN_MILLISECONDS = 500;

export class Crowd {
  readonly #processes: readonly ChildProcess[];

  constructor(private readonly count: number) {
    const path = join(process.cwd(), 'dist/tests/endurance/crowd-process.js');
    this.#processes = Array.from({ length: count }, () => fork(path));
  }

  /** Spreads the viewers of an order over the processes. */
  join(order: CrowdOrder): void {
    this.#processes.forEach((child, at) => {
      const share = (of: number): number => Math.floor((of + at) / this.count);
      const { honest, stalled, hostile } = order;
      const join = { ...order, honest: share(honest), stalled: share(stalled), hostile: share(hostile) };
      child.send({ join } satisfies CrowdMessage);
    });
  }

  /** The hostile ones stop, the stalled ones read again. */
  calm(): void {
    for (const child of this.#processes) child.send('calm' satisfies CrowdMessage);
  }

  async report(): Promise<CrowdReport> {
    const replies = this.#processes.map(async (child) => {
      const said = once(child, 'message') as Promise<[CrowdReport]>;
      child.send('report' satisfies CrowdMessage);
      return (await said)[0];
    });
    return (await Promise.all(replies)).reduce(together);
  }

  /** Asks until it is so. */
  async until(holds: (report: CrowdReport) => boolean): Promise<CrowdReport> {
    for (;;) {
      const report = await this.report();
      if (holds(report)) return report;
      await pause(ASK_AGAIN_MILLISECONDS);
    }
  }

  end(): void {
    for (const child of this.#processes) child.kill('SIGKILL');
  }
}

type Counts = { readonly [name: string]: number | string | Counts };

/** Sums of all that is counted. */
function together<T>(a: T, b: T): T {
  const sums: Record<string, unknown> = { ...(a as Counts) };
  for (const [name, value] of Object.entries(b as Counts)) {
    const before = sums[name];
    if (before === undefined) sums[name] = value;
    else sums[name] = typeof value === 'number' ? value + (before as number) : together(before, value);
  }
  return sums as T;
}
