/** @file Bytes that come in chunks, taken in pieces of given lengths. Knows no format. */
import { Damaged } from './damaged.js';

export class Pieces {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private chunk: Uint8Array = new Uint8Array();
  private at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Whether nothing is left. */
  async ended(): Promise<boolean> {
    while (this.at === this.chunk.length) {
      const next = await this.chunks.next();
      if (next.done) return true;
      [this.chunk, this.at] = [next.value, 0];
    }
    return false;
  }

  /** The next `length` bytes. @throws Damaged where there are fewer. */
  async exactly(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    await this.pass(length, (part) => parts.push(part));
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }

  /** Passes over the next `length` bytes. @throws Damaged where there are fewer. */
  skip(length: number): Promise<void> {
    return this.pass(length, () => undefined);
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  private async pass(length: number, take: (part: Uint8Array) => unknown): Promise<void> {
    for (let left = length; left > 0;) {
      if (await this.ended()) throw new Damaged('an end in the middle of a frame');
      const part = this.chunk.subarray(this.at, this.at + left);
      this.at += part.length;
      left -= part.length;
      take(part);
    }
  }
}
