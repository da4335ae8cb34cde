/** @file Bytes of many files without a handle for each: a few stay open, the others are opened again when they are read. */
import { complain } from '../../foundation/index.js';
import type { ByteSource } from '../../formats/index.js';
import { openBytes } from '../../remote/index.js';

/** Open at a time, in each thread. */
const MOST_OPEN = 48;

/** Least recently used first. */
const handles = new Set<Handle>();

/**
 * As `openBytes`; what is not in use may be closed meanwhile and is opened again.
 * @param open another way to open it.
 * @throws BYTES_CHANGED
 */
export async function openHandle(path: string, open = openBytes): Promise<ByteSource> {
  const handle = new Handle(path, open);
  await handle.use(async () => undefined);
  return handle;
}

class Handle implements ByteSource {
  size = -1;
  etag?: string;
  private source: Promise<ByteSource> | undefined;
  private users = 0;
  private closed = false;

  constructor(
    readonly path: string,
    private readonly open: (path: string) => Promise<ByteSource>,
  ) {}

  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.use((source) => source.read(start, length));
  }

  close(): Promise<void> {
    this.closed = true;
    return this.rest();
  }

  /** Closes what is open, until the next read. */
  async rest(): Promise<void> {
    handles.delete(this);
    const { source } = this;
    this.source = undefined;
    await (await source?.catch(() => undefined))?.close();
  }

  async use<T>(act: (source: ByteSource) => Promise<T>): Promise<T> {
    if (this.closed) throw new Error(`${this.path} is closed`);
    this.users++;
    handles.delete(this);
    handles.add(this);
    try {
      const source = await (this.source ??= this.opened());
      return await act(source);
    } catch (error) {
      if (this.size < 0) handles.delete(this);
      throw error;
    } finally {
      this.users--;
      await closeIdle();
    }
  }

  private async opened(): Promise<ByteSource> {
    try {
      const source = await this.open(this.path);
      const { size, etag } = this;
      if (size >= 0 && (source.size !== size || source.etag !== etag)) {
        await source.close();
        changed(this.path);
      }
      this.size = source.size;
      if (source.etag !== undefined) this.etag = source.etag;
      return source;
    } catch (error) {
      this.source = undefined; // the next reader may have more luck
      throw error;
    }
  }

  get idle(): boolean {
    return this.users === 0;
  }
}

async function closeIdle(): Promise<void> {
  for (const handle of handles) {
    if (handles.size <= MOST_OPEN) return;
    if (handle.idle) await handle.rest();
  }
}

function changed(path: string): never {
  return complain({
    code: 'BYTES_CHANGED',
    owner: path,
    expected: 'the file that was opened',
    got: 'another one in its place',
    hint: 'do not change a file while it is read; start again',
  });
}
