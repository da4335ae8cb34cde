/** @file Means over seeds, counted in a thread of their own: the bootstrap takes a second where a daemon has others to answer. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { complain } from '../foundation/index.js';
import type { Measures } from './protocol.js';
import type { Standing } from './queue.js';

/** Cells that differ in nothing but their seed, and whose figures are wanted. */
export interface MeansRequest {
  readonly standings: readonly Standing[];
  readonly arm: string;
}

/** What came of it; `damage` is why nothing did. */
export interface Mean {
  readonly damage: string | null;
  readonly measures: Measures;
}

/** Of the thread's heap, in MB. */
const MEMORY = 512;

/** One thread, while there is something to count. */
export class MeansThread {
  readonly #waiting: (() => Promise<void>)[] = [];
  #busy = false;
  #worker: Worker | undefined;

  /** Counted when its turn comes. @param request makes it, then. Never rejects */
  count(request: () => Promise<MeansRequest>): Promise<Mean> {
    return new Promise((resolve) => {
      this.#waiting.push(async () => {
        const mean = await request()
          .then((asked) => this.#counted(asked))
          .catch((error: unknown) => ({ damage: messageOf(error), measures: [] }));
        resolve(mean);
      });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await next();
    this.#busy = false;
    const idle = this.#worker;
    this.#worker = undefined;
    await idle?.terminate();
  }

  async #counted(request: MeansRequest): Promise<Mean> {
    const worker = (this.#worker ??= new Worker(builtThread(), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY },
    }));
    worker.unref();
    const heard = new AbortController();
    const { signal } = heard;
    try {
      const reply = once(worker, 'message', { signal });
      const end = once(worker, 'exit', { signal }).then(() => [] as unknown[]);
      worker.postMessage(request);
      const [measures] = await Promise.race([reply, end]);
      if (measures === undefined) throw new Error('the thread that counts means has ended');
      return { damage: null, measures: measures as Measures };
    } catch (error) {
      this.#worker = undefined;
      throw error;
    } finally {
      heard.abort();
    }
  }
}

/** Beside this file, or in `dist/` where this file runs from its sources (under a test runner). */
function builtThread(): URL {
  const places = ['./means.worker.js', '../dist/sweeps/means.worker.js'];
  return (
    places.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url)) ??
    complain({
      code: 'SWEEP_NOT_BUILT',
      owner: 'sweeps',
      expected: 'the built thread means.worker.js',
      got: 'none',
      hint: 'run npm run build',
    })
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
