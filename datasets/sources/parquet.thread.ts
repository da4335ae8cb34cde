/** @file The thread that decodes Parquet files, shared by all of them. Knows what it is asked, not what it means. */
import { Worker } from 'node:worker_threads';
import { LatstreamError, type Complaint } from '../../foundation/index.js';
import { builtFile } from '../built.js';

/** A question about an open file, or the opening of one. */
export type ParquetQuestion =
  | { readonly kind: 'open'; readonly path: string; readonly partBytes?: number }
  | { readonly kind: 'read'; readonly part: number; readonly columns: readonly string[] }
  | { readonly kind: 'close' };

/** What the thread is asked. */
export type ParquetRequest = ParquetQuestion & { readonly id: number; readonly file: number };

/** `opened` for opening, `values` (by column, then row) for reading. */
export interface ParquetAnswer {
  readonly opened?: {
    readonly bytes: number;
    readonly etag: string | undefined;
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    readonly counts: readonly number[];
    readonly rowGroups: number;
  };
  readonly values?: readonly (readonly unknown[])[];
}

/** What the thread answers: what was asked for, or why not. */
export interface ParquetReply extends ParquetAnswer {
  readonly id: number;
  readonly error?: string;
  /** Where the error is one for users already. */
  readonly complaint?: Complaint;
}

/** One file in the thread. */
export interface ParquetHandle {
  /** @throws Error with what the thread found wrong; that its reader has ended, once it is closed. */
  ask(question: ParquetQuestion): Promise<ParquetAnswer>;
  /** Fails what is still waiting; the thread ends with its last file. */
  close(): Promise<void>;
}

/** A place in the thread, which is started for the first one. */
export function parquetHandle(): ParquetHandle {
  shared ??= new Thread();
  return shared.handle();
}

let shared: Thread | undefined;

interface Waiting {
  readonly file: number;
  readonly resolve: (reply: ParquetAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Several times what a part of a row group takes, decoded. */
const HEAP_MEGABYTES = 1536;

class Thread {
  private readonly worker = new Worker(builtFile('sources/parquet.worker.js'), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  private readonly waiting = new Map<number, Waiting>();
  private readonly files = new Set<number>();
  private asked = 0;
  private opened = 0;
  private ending = false;
  private failure: Error | undefined;

  constructor() {
    this.worker.unref();
    this.worker.on('message', (reply: ParquetReply) => this.settle(reply));
    this.worker.on('error', (error: unknown) =>
      this.fail(error instanceof Error ? error : new Error(String(error))),
    );
    this.worker.on('exit', () => this.fail(ended()));
  }

  handle(): ParquetHandle {
    const file = this.opened++;
    this.files.add(file);
    return {
      ask: (question) => (this.files.has(file) ? this.ask(file, question) : Promise.reject(ended())),
      close: () => this.close(file),
    };
  }

  private ask(file: number, question: ParquetQuestion): Promise<ParquetAnswer> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      const id = this.asked++;
      this.waiting.set(id, { file, resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ ...question, id, file } satisfies ParquetRequest);
    });
  }

  private async close(file: number): Promise<void> {
    if (!this.files.has(file)) return;
    for (const asker of this.waiting.values()) if (asker.file === file) asker.reject(ended());
    this.files.delete(file);
    if (this.files.size > 0) {
      await this.ask(file, { kind: 'close' }).catch(() => undefined); // It may have failed to open.
      return;
    }
    if (shared === this) shared = undefined;
    this.ending = true;
    await this.worker.terminate();
  }

  private settle({ id, error, complaint, ...answer }: ParquetReply): void {
    const asker = this.waiting.get(id);
    this.waiting.delete(id);
    // A process that waits for the end of its last thread must not end before it.
    if (this.waiting.size === 0 && !this.ending) this.worker.unref();
    if (error === undefined) asker?.resolve(answer);
    else asker?.reject(complaint ? new LatstreamError(complaint) : new Error(error));
  }

  private fail(cause: Error): void {
    this.failure ??= cause;
    if (shared === this) shared = undefined;
    for (const asker of this.waiting.values()) asker.reject(this.failure);
    this.waiting.clear();
  }
}

function ended(): Error {
  return new Error('its reader has ended');
}
