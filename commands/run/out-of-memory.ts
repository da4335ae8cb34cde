/** @file Whether memory ran out: what the kernel has counted, and what runtimes say. Reads files of Linux; elsewhere nobody tells. */
import { readFileSync } from 'node:fs';
import { LatstreamError } from '../../foundation/index.js';

const INTERVAL_MILLISECONDS = 5000;

/** Of V8, C++, ONNX Runtime, Node and CUDA. */
const SAID =
  /\bout of memory\b|Fatal process OOM|std::bad_alloc|Failed to allocate memory|Array buffer allocation failed|Cannot allocate memory/i;
const CODES = new Set(['ENOMEM', 'ERR_WORKER_OUT_OF_MEMORY', 'ERR_MEMORY_ALLOCATION_FAILED']);

/** Whether this is how a runtime says that there was no memory. */
export function saysMemory(text: string): boolean {
  return SAID.test(text);
}

/** The same of an error; ours speak of other things. */
export function isMemoryError(error: unknown): boolean {
  if (error instanceof LatstreamError || !(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  return CODES.has(String(code)) || saysMemory(error.message);
}

/** Watches whether the kernel kills for memory: a process that is gone cannot be asked why. */
export class KernelWatch {
  readonly #read: () => number;
  #before: number;
  #newest: number;
  readonly #timer: NodeJS.Timeout;

  /** @param pid of a process that is there. @param read counts kills */
  constructor(pid: number, read: () => number = killsNear(pid)) {
    this.#read = read;
    this.#before = this.#newest = read();
    this.#timer = setInterval(() => {
      [this.#before, this.#newest] = [this.#newest, read()];
    }, INTERVAL_MILLISECONDS).unref();
  }

  /** Ends the watch. @returns whether it killed in the last seconds */
  end(): boolean {
    clearInterval(this.#timer);
    return this.#read() > this.#before;
  }
}

/** Counts kills for memory: in the process's control group, or on the whole machine where that says nothing. */
function killsNear(pid: number): () => number {
  const files = [...groupFiles(pid), '/proc/vmstat'];
  const found = files.find((path) => countIn(path) !== undefined);
  return () => (found === undefined ? 0 : (countIn(found) ?? 0));
}

/** Of both versions of control groups. */
function groupFiles(pid: number): string[] {
  const text = textOf(`/proc/${pid}/cgroup`) ?? '';
  return text.split('\n').flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === 'memory') return [`/sys/fs/cgroup/memory${path}/memory.oom_control`];
    return controllers === '' && path !== '' ? [`/sys/fs/cgroup${path}/memory.events`] : [];
  });
}

function countIn(path: string): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(textOf(path) ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
