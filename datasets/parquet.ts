/** @file A Parquet file as a source, decoded in a thread of its own. Knows nothing about what rows mean. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { complain } from '../foundation/index.js';
import { groupsOf, type Row, type Source } from './source.js';

/** What the thread is asked. */
export type ParquetRequest =
  | { readonly id: number; readonly kind: 'open' }
  | {
      readonly id: number;
      readonly kind: 'read';
      readonly group: number;
      readonly columns: readonly string[];
    };

/** What the thread answers: one of `opened`, `values` (by column, then row) and `error`. */
export interface ParquetReply {
  readonly id: number;
  readonly error?: string;
  readonly opened?: {
    readonly bytes: number;
    readonly columns: readonly string[];
    readonly counts: readonly number[];
  };
  readonly values?: readonly (readonly unknown[])[];
}

/**
 * Opens a Parquet file. Close it: the thread lives until then (an idle one does not keep the process alive).
 * @throws DATASET_PARQUET where the file is truncated or not Parquet.
 */
export async function openParquet(path: string): Promise<Source> {
  const thread = new ParquetThread(path);
  try {
    const { opened } = await thread.ask({ kind: 'open' });
    if (!opened) throw new Error('the reader gave no answer');
    return {
      path,
      bytes: opened.bytes,
      columns: opened.columns,
      rows: opened.counts.reduce((sum, rows) => sum + rows, 0),
      groups: groupsOf(opened.counts),
      read: async (group, columns) =>
        asRows(columns, (await thread.ask({ kind: 'read', group, columns })).values ?? []),
      close: () => thread.close(),
    };
  } catch (error) {
    await thread.close();
    throw error;
  }
}

/** A request without its id. */
type Question = { kind: 'open' } | { kind: 'read'; group: number; columns: readonly string[] };

interface Waiting {
  readonly resolve: (reply: ParquetReply) => void;
  readonly reject: (error: unknown) => void;
}

class ParquetThread {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private failure: Error | undefined;

  constructor(private readonly path: string) {
    this.worker = new Worker(workerFile(), { workerData: path });
    this.worker.unref();
    this.worker.on('message', (reply: ParquetReply) => this.settle(reply));
    this.worker.on('error', (error: unknown) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('its reader has ended')));
  }

  ask(question: Question): Promise<ParquetReply> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      const id = this.asked++;
      this.waiting.set(id, { resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ ...question, id } satisfies ParquetRequest);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private settle(reply: ParquetReply): void {
    const asker = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (this.waiting.size === 0) this.worker.unref();
    if (reply.error === undefined) asker?.resolve(reply);
    else asker?.reject(rejected(() => invalid(this.path, reply.error ?? '')));
  }

  private fail(cause: unknown): void {
    this.failure ??= rejected(() =>
      invalid(this.path, cause instanceof Error ? cause.message : String(cause)),
    );
    for (const asker of this.waiting.values()) asker.reject(this.failure);
    this.waiting.clear();
  }
}

/** The error that `complaint` throws, as a value. */
function rejected(complaint: () => never): Error {
  try {
    return complaint();
  } catch (error) {
    return error as Error;
  }
}

function invalid(path: string, got: string): never {
  return complain({
    code: 'DATASET_PARQUET',
    owner: `dataset ${path}`,
    expected: 'a complete Parquet file',
    got,
    hint: 'download or write the file again; a file whose writing was interrupted has no footer and cannot be read',
  });
}

/** The built thread: beside this file, or in `dist/` where this file runs from its sources (under a test runner). */
function workerFile(): string {
  const candidates = ['./parquet.worker.js', '../dist/datasets/parquet.worker.js'].map((name) =>
    fileURLToPath(new URL(name, import.meta.url)),
  );
  return (
    candidates.find((file) => existsSync(file)) ??
    complain({
      code: 'DATASET_NOT_BUILT',
      owner: 'datasets/parquet',
      expected: 'the built reader parquet.worker.js',
      got: 'none',
      hint: 'run npm run build',
    })
  );
}

function asRows(columns: readonly string[], values: readonly (readonly unknown[])[]): Row[] {
  const length = values[0]?.length ?? 0;
  return Array.from({ length }, (_, at) =>
    Object.fromEntries(columns.map((name, column) => [name, values[column]?.[at] ?? null])),
  );
}
