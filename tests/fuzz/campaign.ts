/** @file Runs the cases of a target in child processes of limited memory, and sees every crash, hang and growth. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './child.js';

/** What a case may take. */
export interface Limits {
  /** Seconds without a word. */
  readonly seconds: number;
  /** Heap of the process. */
  readonly heapMegabytes: number;
  /** Growth of the process, buffers and threads included. */
  readonly megabytes: number;
}

export const LIMITS: Limits = { seconds: 30, heapMegabytes: 256, megabytes: 512 };

export interface Failure {
  readonly index: number;
  readonly what: string;
}

/** How the cases of a target ended. */
export interface Result {
  readonly target: string;
  readonly cases: number;
  /** Cases by outcome: `value`, or the code of an error. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

const MOST_FAILURES = 20;

/** Runs cases `from` … `to`−1 of a target; a failure does not end it, twenty do. */
export async function campaign(order: Omit<Order, 'megabytes'>, limits: Limits = LIMITS): Promise<Result> {
  const start = performance.now();
  const outcomes: Record<string, number> = {};
  const failures: Failure[] = [];
  let next = order.from;
  while (next < order.to && failures.length < MOST_FAILURES) {
    const watched = new Watched({ ...order, from: next, megabytes: limits.megabytes }, limits, outcomes);
    failures.push(...(await watched.ended));
    next = watched.next;
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  return { target: order.target, cases: next - order.from, outcomes, failures, seconds };
}

/** One process, until it has done its cases or failed. */
class Watched {
  next: number;
  readonly ended: Promise<Failure[]>;
  private readonly child: ChildProcess;
  private readonly failures: Failure[] = [];
  private timer: NodeJS.Timeout | undefined;
  private stderr = '';
  private done = false;
  private hung = false;

  constructor(
    private readonly order: Order,
    private readonly limits: Limits,
    private readonly outcomes: Record<string, number>,
  ) {
    this.next = order.from;
    this.child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), {
      execArgv: [`--max-old-space-size=${limits.heapMegabytes}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on(
      'data',
      (chunk: Buffer) => (this.stderr = (this.stderr + chunk.toString()).slice(-2000)),
    );
    this.child.on('message', (report: Report) => this.hear(report));
    this.expect();
    this.ended = new Promise((resolve) =>
      this.child.once('close', (code, signal) => {
        clearTimeout(this.timer);
        if (!this.done) this.died(code, signal);
        resolve(this.failures);
      }),
    );
  }

  private hear(report: Report): void {
    this.expect();
    if (report.kind === 'ready') this.child.send(this.order);
    else if (report.kind === 'done') this.done = true;
    else if (report.kind === 'begin') this.next = report.index + 1;
    else if (report.kind === 'end') this.outcomes[report.outcome] = (this.outcomes[report.outcome] ?? 0) + 1;
    else this.failures.push({ index: report.index, what: report.what });
  }

  /** Something must be heard in time. */
  private expect(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.hung = true;
      this.child.kill('SIGKILL');
    }, this.limits.seconds * 1000);
  }

  private died(code: number | null, signal: NodeJS.Signals | null): void {
    const index = this.next - 1;
    // A process that fails before its first case would be started for ever.
    if (index < this.order.from) this.next = this.order.to;
    if (this.failures.some((failure) => failure.index === index)) return;
    const how = this.hung
      ? `silent for ${this.limits.seconds} s`
      : `ended with ${signal ?? code ?? 'nothing'}`;
    this.failures.push({
      index,
      what: `${how} ${this.stderr.split('\n').filter(Boolean).slice(0, 6).join(' | ')}`,
    });
  }
}
