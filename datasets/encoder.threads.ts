/** @file Threads that encode rows, with limits on memory and time. Knows nothing about where rows come from. */
import { Worker } from 'node:worker_threads';
import { complain, LatstreamError, type Complaint } from '../foundation/index.js';
import { builtFile } from './built.js';
import type { ChatTemplate, TemplateSpec } from './chat/chat.js';
import type { Encoded, EncoderOptions, EncoderRow } from './encode.js';
import type { Example } from './example.js';
import type { TokenizerFiles } from './chat/special-tokens.js';

/** What a thread is made from. */
export interface EncoderThreadData {
  readonly files: TokenizerFiles;
  readonly template: TemplateSpec;
  readonly options: EncoderOptions;
}

export interface EncoderRequest {
  readonly id: number;
  readonly rows: readonly EncoderRow[];
}

/** Errors cross threads as what they say. */
export type Reply = { readonly example: Example | undefined } | { readonly complaint: Complaint };

export interface EncoderReply {
  readonly id: number;
  readonly encoded: readonly Reply[];
}

export interface EncoderThreads {
  encode(rows: readonly EncoderRow[]): Promise<readonly Encoded[]>;
  close(): Promise<void>;
}

/** What a thread may cost. */
export interface ThreadLimits {
  /** Heap, in MB. */
  readonly memory: number;
  /**
   * Nothing from it for so many milliseconds, though it is asked: longer than it lets a chunk take, twice. Only what
   * not even V8 can interrupt comes to this.
   */
  readonly silence: number;
}

const LIMITS: ThreadLimits = { memory: 2048, silence: 60_000 };

/** The threads are started by the first rows. Idle ones do not keep the process alive. */
export function encoderThreads(
  { tokenizer, spec }: ChatTemplate,
  options: EncoderOptions,
  count: number,
  limits = LIMITS,
): EncoderThreads {
  const data = { files: tokenizer.files, template: spec, options };
  let threads: readonly EncoderThread[] | undefined;
  return {
    encode(rows) {
      threads ??= Array.from({ length: count }, () => new EncoderThread(data, limits));
      return threads.reduce((idlest, each) => (each.load < idlest.load ? each : idlest)).encode(rows);
    },
    close: async () => {
      await Promise.all(threads?.map((thread) => thread.close()) ?? []);
    },
  };
}

interface Waiting {
  readonly rows: readonly EncoderRow[];
  readonly resolve: (encoded: readonly Encoded[]) => void;
  readonly reject: (error: Error) => void;
}

class EncoderThread {
  private readonly worker: Worker;
  /** In the order in which the thread works on them. */
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private failure: Error | undefined;
  private watch: NodeJS.Timeout | undefined;

  constructor(
    workerData: EncoderThreadData,
    private readonly limits: ThreadLimits,
  ) {
    this.worker = new Worker(builtFile('encoder.worker.js'), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: limits.memory },
    });
    this.worker.unref();
    this.worker.on('message', (reply: EncoderReply) => this.settle(reply));
    this.worker.on('error', (error: Error) => this.fail(error.message));
    this.worker.on('exit', () => this.fail('its end'));
  }

  get load(): number {
    return this.waiting.size;
  }

  encode(rows: readonly EncoderRow[]): Promise<readonly Encoded[]> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      const id = this.asked++;
      this.waiting.set(id, { rows, resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ id, rows } satisfies EncoderRequest);
      if (this.waiting.size === 1) this.listen();
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.watch);
    await this.worker.terminate();
  }

  private settle({ id, encoded }: EncoderReply): void {
    const asker = this.waiting.get(id);
    this.waiting.delete(id);
    this.listen();
    if (this.waiting.size === 0) this.worker.unref();
    asker?.resolve(
      encoded.map((each) => ('complaint' in each ? { error: new LatstreamError(each.complaint) } : each)),
    );
  }

  private listen(): void {
    clearTimeout(this.watch);
    if (this.waiting.size === 0) return;
    this.watch = setTimeout(() => {
      // This thread may have been busy itself: an answer that lies here already is taken first.
      this.watch = setTimeout(() => {
        this.fail(`none within ${this.limits.silence / 1000} s`);
        void this.worker.terminate();
      }, this.limits.silence / 60);
    }, this.limits.silence);
  }

  private fail(got: string): void {
    const rows = this.waiting.values().next().value?.rows;
    this.failure ??= asError(() =>
      complain({
        code: 'ENCODE_THREAD',
        owner: rows?.[0] ? `${rows[0].owner} or one of the ${rows.length - 1} after it` : 'encoder',
        expected: `an answer of the thread that encodes rows, in ${this.limits.memory} MB`,
        got,
        hint: 'look for a very long text in these rows, and for loops in the chat template',
      }),
    );
    clearTimeout(this.watch);
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }
}

function asError(complaint: () => never): Error {
  try {
    return complaint();
  } catch (error) {
    return error as Error;
  }
}
