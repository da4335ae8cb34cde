/** @file A file in blocks that are fetched when needed and kept for a while. Knows not from where. */
import type { Remote } from './settings.js';
import { keepOnShelf, takeFromShelf, trimShelf } from './shelf.js';

type Fetch = (start: number, end: number) => Promise<Uint8Array>;

/** All of a thread together hold at most `remote.blocks.kept` bytes, beside what is being asked for. */
export class Blocks {
  private readonly held = new Map<number, Promise<Uint8Array>>();
  private readonly size: number;
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  /** Where the last read ended: one that goes on there reads ahead. */
  private reached = 0;

  /** @param length of the file, in bytes. */
  constructor(
    private readonly length: number,
    private readonly remote: Remote,
    private readonly fetch: Fetch,
  ) {
    this.size = remote.blocks.size;
  }

  /** A block that came by another way. */
  keep(block: number, bytes: Uint8Array | undefined): void {
    if (bytes && bytes.length > 0) this.hold(block, Promise.resolve(bytes));
  }

  /** Bytes that lie inside the file, in memory of their own. */
  async read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    const ahead = start === this.reached ? this.remote.blocks.ahead : 0;
    this.reached = start + length;
    // In parts, so that no read holds much more than what it gives.
    const part = Math.max(this.size, this.remote.blocks.request);
    for (let at = start; at < start + length; at += part) {
      const end = Math.min(start + length, at + part);
      const first = Math.floor(at / this.size);
      const blocks = await Promise.all(this.blocks(first, Math.ceil(end / this.size), ahead));
      blocks.forEach((block, offset) => {
        const from = (first + offset) * this.size;
        const [begin, stop] = [Math.max(at, from), Math.min(end, from + block.length)];
        bytes.set(block.subarray(begin - from, stop - from), begin - start);
      });
    }
    return bytes;
  }

  /** Lets go of all. */
  close(): void {
    for (const bytes of this.held.values()) takeFromShelf(bytes);
    this.held.clear();
  }

  /** Blocks from `first` to before `end`; what is missing in a row is asked for at once. */
  private blocks(first: number, end: number, ahead: number): Promise<Uint8Array>[] {
    const missing = (block: number): boolean => !this.held.has(block);
    for (let block = first; block < end; block++) {
      if (!missing(block)) continue;
      let stop = block + 1;
      while (stop < end && missing(stop)) stop++;
      const last = Math.ceil(this.length / this.size);
      if (stop === end)
        while (stop < Math.min(last, end + Math.floor(ahead / this.size)) && missing(stop)) stop++;
      this.request(block, stop);
      block = stop;
    }
    const found = Array.from({ length: end - first }, (_, at) => this.touched(first + at));
    trimShelf(this.remote.blocks.kept);
    return found;
  }

  private request(block: number, stop: number): void {
    const start = block * this.size;
    const run = this.turn(() => this.fetch(start, Math.min(this.length, stop * this.size)));
    for (let at = block; at < stop; at++) {
      const from = (at - block) * this.size;
      // A copy: a part would keep the whole answer in memory.
      const one = run.then((bytes) => bytes.slice(from, from + this.size));
      one.catch(() => this.drop(at, one));
      this.hold(at, one);
    }
  }

  private touched(block: number): Promise<Uint8Array> {
    const bytes = this.held.get(block) as Promise<Uint8Array>;
    this.hold(block, bytes);
    return bytes;
  }

  private hold(block: number, bytes: Promise<Uint8Array>): void {
    this.held.set(block, bytes);
    keepOnShelf(bytes, this.size, () => this.drop(block, bytes));
  }

  private drop(block: number, bytes: Promise<Uint8Array>): void {
    takeFromShelf(bytes);
    if (this.held.get(block) === bytes) this.held.delete(block);
  }

  /** A few requests at a time. */
  private async turn<T>(act: () => Promise<T>): Promise<T> {
    if (this.running >= this.remote.concurrency) await new Promise<void>((go) => this.waiting.push(go));
    else this.running++;
    try {
      return await act();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}
