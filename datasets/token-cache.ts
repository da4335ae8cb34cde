/** @file Encoded rows on disk, found by their content. Knows nothing about files of rows. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChatTemplate } from './chat/chat.js';
import type { EncoderOptions } from './encode.js';
import type { Example } from './example.js';
import type { RowKey } from './row-key.js';
import { Segment, writeSegment, type Entry } from './token-segment.js';

/** Where encoded rows are kept. */
export interface TokenCachePlace {
  /** Holds a folder for each way of encoding: tokenizer, template and options. */
  readonly directory: string;
  /** Most bytes of all together: what was not used for longest goes first. Default 4 GB. */
  readonly bytes?: number;
  /** Rows of a file, held until it is written; fewer are not written. Default 4096. */
  readonly rows?: number;
  /** Hears what was wrong with a file; its rows are encoded again. */
  readonly note?: (text: string) => void;
}

/** Part of every key: another number where the same texts would become other tokens, or other files. */
const VERSION = 2;
const BYTES = 4 * 2 ** 30;
const ROWS = 4096;
/** More than a file ever has. */
const MOST_ROWS = 2 ** 16;

export class TokenCache {
  private readonly segments: Segment[] = [];
  /** `segment · MOST_ROWS + row` by {@link slotOf} its key. */
  private readonly places = new Map<number, number>();
  private readonly pending = new Map<number, Entry>();
  private bytes = 0;

  private readonly most: number;
  private readonly rows: number;
  private readonly note: (text: string) => void;

  private constructor(
    private readonly directory: string,
    { bytes = BYTES, rows = ROWS, note = () => undefined }: TokenCachePlace,
  ) {
    this.most = bytes;
    this.rows = Math.min(rows, MOST_ROWS);
    this.note = note;
  }

  /** Opens what is there for this way of encoding. Damaged files are removed, and older ones of other ways for space. */
  static async open(
    place: TokenCachePlace,
    template: ChatTemplate,
    options: EncoderOptions,
  ): Promise<TokenCache> {
    const directory = join(place.directory, wayOf(template, options));
    const cache = new TokenCache(directory, place);
    await mkdir(directory, { recursive: true });
    await utimes(directory, new Date(), new Date());
    for (const name of (await readdir(directory)).filter((each) => each.endsWith('.arrow')).sort())
      await cache.load(join(directory, name));
    await cache.removeOthers(place.directory);
    return cache;
  }

  /** Undefined where it is not there. */
  get(key: RowKey): { readonly example: Example | undefined } | undefined {
    const held = this.pending.get(slotOf(key));
    if (held && same(held.key, key)) return { example: held.example };
    const place = this.places.get(slotOf(key));
    if (place === undefined) return undefined;
    const segment = this.segments[Math.floor(place / MOST_ROWS)];
    const row = place % MOST_ROWS;
    if (!segment || !same(segment.key(row), key)) return undefined;
    try {
      return { example: segment.example(row) };
    } catch (error) {
      this.places.delete(slotOf(key));
      this.complainOf(segment.path, error);
      return undefined;
    }
  }

  /** Keeps entries; writes them once there are enough. A disk that takes no more is noted and not asked again. */
  async add(entries: readonly Entry[]): Promise<void> {
    if (this.bytes >= this.most) return;
    for (const entry of entries) this.pending.set(slotOf(entry.key), entry);
    while (this.pending.size >= this.rows) {
      const full = [...this.pending].slice(0, this.rows);
      for (const [slot] of full) this.pending.delete(slot);
      try {
        const path = await writeSegment(
          this.directory,
          full.map(([, entry]) => entry),
        );
        await this.load(path);
      } catch (error) {
        this.bytes = Infinity;
        this.complainOf(this.directory, error);
      }
    }
  }

  close(): void {
    for (const segment of this.segments) segment.close();
  }

  private async load(path: string): Promise<void> {
    try {
      const segment = new Segment(path);
      if (segment.rows > MOST_ROWS) throw new Error('another format');
      const start = (this.segments.push(segment) - 1) * MOST_ROWS;
      for (let row = 0; row < segment.rows; row++) this.places.set(slotOf(segment.key(row)), start + row);
      this.bytes += segment.bytes;
    } catch (error) {
      this.complainOf(path, error);
      await rm(path, { force: true });
    }
  }

  private complainOf(path: string, error: unknown): void {
    this.note(
      `token cache ${path}: ${error instanceof Error ? error.message : String(error)}; rows are encoded again`,
    );
  }

  /** Removes folders of other ways of encoding until all fits, longest unused first. */
  private async removeOthers(root: string): Promise<void> {
    const others = (await readdir(root, { withFileTypes: true }))
      .filter(
        (entry) => entry.isDirectory() && WAY.test(entry.name) && join(root, entry.name) !== this.directory,
      )
      .map(({ name }) => join(root, name));
    const known = await Promise.all(
      others.map(async (path) => ({ path, used: (await stat(path)).mtimeMs, bytes: await sizeOf(path) })),
    );
    let all = known.reduce((sum, { bytes }) => sum + bytes, this.bytes);
    for (const { path, bytes } of known.sort((a, b) => a.used - b.used)) {
      if (all <= this.most) return;
      await rm(path, { recursive: true, force: true });
      all -= bytes;
    }
  }
}

/** As many bits of a key as a number holds. */
function slotOf({ high }: RowKey): number {
  return Number(high >> 12n);
}

function same(a: RowKey, b: RowKey): boolean {
  return a.high === b.high && a.low === b.low;
}

const WAY = /^[0-9a-f]{32}$/;

/** Whatever tokens depend on besides a row's own values. */
function wayOf({ tokenizer, spec }: ChatTemplate, options: EncoderOptions): string {
  const { context, overflow, system, turns } = options;
  // Templates that tell the date give other tokens tomorrow.
  const day = spec.source.includes('strftime_now') ? new Date().toDateString() : null;
  const parts = [VERSION, tokenizer.files, spec.source, spec.addBos, context, overflow, system, turns, day];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

async function sizeOf(directory: string): Promise<number> {
  const sizes = (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
