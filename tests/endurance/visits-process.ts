/** @file A process of visitors that come, stay for a while, and go: at a live page over WebSocket, and at the daemon's page, which asks over HTTP. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RunView } from '../../daemon/index.js';
import { draws } from '../../foundation/index.js';
import { socketOf, Watcher } from './watcher.js';

export interface VisitsOrder {
  /** The live page's address, and the daemon's. */
  readonly page: string;
  readonly daemon: string;
  readonly token: string;
  readonly run: string;
  readonly seed: number;
  /** Visitors at a time, of each kind. */
  readonly watchers: number;
  readonly readers: number;
}

/** What visitors have seen. */
export interface Visits {
  readonly visits: number;
  readonly metrics: number;
  readonly disordered: number;
  readonly polls: number;
  /** Replies that were none, or not those of an API that is well. */
  readonly failures: readonly string[];
}

const LONGEST_STAY_MILLISECONDS = 20_000;
const POLL_MILLISECONDS = 2000;
const seen = { visits: 0, metrics: 0, disordered: 0, polls: 0, failures: [] as string[] };
const leaving = new AbortController();
/** A question, so that each time the answer may be another. */
const isOver = (): boolean => leaving.signal.aborted;

process.on('message', (order: VisitsOrder | 'end') => {
  if (order === 'end') {
    leaving.abort();
    process.send?.(seen satisfies Visits, () => process.exit());
    return;
  }
  for (let slot = 0; slot < order.watchers; slot++) void watch(order, slot);
  for (let slot = 0; slot < order.readers; slot++) void read(order, slot);
});

/** One visit after another; some come back to where they were, some go without a word. */
async function watch({ page, seed }: VisitsOrder, slot: number): Promise<void> {
  let before: Watcher | undefined;
  for (let visit = 0; !isOver(); visit++) {
    const draw = draws(seed, 'watch', slot, visit);
    const watcher = new Watcher(socketOf(page), draw.uniform() < 0.5 ? before : undefined);
    const closed = new Promise((resolve) => watcher.socket.once('close', resolve));
    await Promise.race([closed, pause(draw.uniform() * LONGEST_STAY_MILLISECONDS)]);
    if (draw.uniform() < 0.5) watcher.socket.close();
    else watcher.socket.terminate();
    await closed;
    seen.visits += 1;
    seen.metrics += watcher.received;
    seen.disordered += watcher.disordered;
    before = watcher;
    await pause(draw.uniform() * 1000);
  }
}

/** As the daemon's page asks: for runs and what is new of one, now and then for answers, log and figures. */
async function read({ page, daemon, token, run, seed }: VisitsOrder, slot: number): Promise<void> {
  const ask = async (path: string, of = daemon): Promise<unknown> => {
    const once = (): Promise<Response> =>
      fetch(new URL(path, of), { headers: { authorization: `Bearer ${token}` } });
    // As browsers do where a connection that was kept was closed meanwhile.
    const reply = await once().catch(once);
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${reply.status} ${text.slice(0, 200)}`);
    return reply.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  };
  for (let visit = 0; !isOver(); visit++) {
    const draw = draws(seed, 'read', slot, visit);
    const until = performance.now() + draw.uniform() * LONGEST_STAY_MILLISECONDS;
    let after = '';
    try {
      for (const path of ['/', '/healthz', '/metrics.prom', `/runs/${run}/log`]) await ask(path);
      for (const path of ['/', '/healthz'])
        await ask(path, page).catch(async (error: unknown) => {
          // The live page goes with the run's process; the daemon stays.
          const { runs } = (await ask('/runs')) as { readonly runs: readonly RunView[] };
          if (runs.some(({ live }) => live?.page === page)) throw error;
        });
      while (performance.now() < until && !isOver()) {
        await ask('/runs');
        const { next } = (await ask(`/runs/${run}/metrics?after=${after}`)) as { readonly next: string };
        after = next;
        seen.polls += 1;
        await pause(POLL_MILLISECONDS * draw.uniform());
      }
    } catch (error) {
      if (!isOver()) seen.failures.push(reasonOf(error));
      await pause(1000);
    }
    seen.visits += 1;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
