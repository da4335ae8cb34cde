/** @file A run seen through what is in its directory: whoever trains it, and also when nobody does any more. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lockHolder } from '../formats/index.js';
import { metricsAfter } from '../monitor/index.js';
import type { Ending, Source, WatchEvent } from './event.js';
import { rest } from './patience.js';

/** Names in the directory. */
export interface RunFiles {
  readonly directory: string;
  readonly name: string;
  readonly metrics: string;
  /** Held while somebody trains it. */
  readonly lock: string;
  /** There when it is done. */
  readonly summary: string;
}

const INTERVAL_MILLISECONDS = 500;
/** Of each arm and kind, in one piece. */
const POINTS = 2000;

export class RunRecord implements Source {
  constructor(private readonly files: RunFiles) {}

  async *events(signal: AbortSignal): AsyncGenerator<WatchEvent, Ending> {
    const { directory, name, metrics, lock, summary } = this.files;
    const run = (): WatchEvent => ({ type: 'run', run: name, from: directory, may: [] });
    yield run();
    const over = (): boolean => signal.aborted;
    let said = '';
    let after = '';
    while (!over()) {
      // In this order: who has let go of the lock has written everything.
      const pid = await lockHolder(join(directory, lock));
      const done = existsSync(join(directory, summary));
      const state = done ? 'done' : pid === undefined ? 'stopped' : 'running';
      if (state !== said)
        yield { type: 'state', run: name, state, detail: pid === undefined ? null : `process ${pid}` };
      said = state;
      for (let more = true; more && !over();) {
        const page = await metricsAfter(join(directory, metrics), after, POINTS);
        if (page.fresh && after !== '') yield run(); // a resume has dropped what came after its checkpoint
        for (const metric of page.metrics) yield { type: 'metric', ...metric };
        more = page.more && page.next !== after;
        after = page.next;
      }
      if (done) return { kind: 'done' };
      if (pid === undefined) return { kind: 'stopped', run: name, reason: 'no process works on it' };
      await rest(INTERVAL_MILLISECONDS, signal);
    }
    return { kind: 'left' };
  }

  ask(): Promise<string> {
    return Promise.resolve('a directory cannot be asked: watch its page, or its daemon');
  }
}
