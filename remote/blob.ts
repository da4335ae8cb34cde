/** @file Fetches one file of the hub into the cache: what a former try left is gone on with, and the result is checked. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lockFile, type Release } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import type { Cache } from './cache.js';
import { readRange } from './range.js';
import type { HubFile } from './repository.js';
import type { Remote } from './settings.js';

/** Who wants to know how far it is. */
export interface Progress {
  /** Bytes that are there, fetched or found. */
  readonly have: (bytes: number) => void;
  /** Something to say, such as who is waited for. */
  readonly note: (text: string) => void;
}

export interface BlobRequest {
  /** Who complains. */
  readonly owner: string;
  readonly address: string;
  readonly file: HubFile;
  readonly signal?: AbortSignal | undefined;
}

/** How often a process that waits for another one looks, in milliseconds. */
const LOOK = 500;

/**
 * Has a file's content in the cache when it returns. Of several processes one fetches and the others wait.
 * @throws HUB_DIGEST where what came is not what the hub lists; HUB_DISK; and what reading ranges throws.
 */
export async function fetchBlob(
  request: BlobRequest,
  cache: Cache,
  progress: Progress,
  remote: Remote,
): Promise<void> {
  const { file, signal } = request;
  const blob = cache.blob(file.etag);
  await orFull(request, () => mkdir(dirname(blob), { recursive: true }));
  const lock = await orFull(request, () => cache.lock(file.etag));
  for (let told = false; ; told = true) {
    if (await isThere(blob, file.size)) {
      progress.have(file.size);
      return;
    }
    const release = await free(lock);
    if (typeof release === 'function') {
      try {
        // It may have come while we took the lock.
        if (await isThere(blob, file.size)) continue;
        await orFull(request, () => fetched(request, blob, progress, remote));
        return;
      } finally {
        release();
      }
    }
    if (!told) progress.note(`process ${release} is fetching ${file.path}`);
    await remote.sleep(LOOK, signal);
  }
}

/** The lock, or the process that has it. */
async function free(lock: string): Promise<Release | number> {
  class Busy extends Error {
    constructor(readonly pid: number) {
      super();
    }
  }
  try {
    return await lockFile(lock, (pid) => {
      throw new Busy(pid);
    });
  } catch (error) {
    if (error instanceof Busy) return error.pid;
    throw error;
  }
}

async function isThere(path: string, size: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size === size;
}

async function fetched(
  request: BlobRequest,
  blob: string,
  progress: Progress,
  remote: Remote,
): Promise<void> {
  const { file, owner, address, signal } = request;
  const part = `${blob}.incomplete`;
  // Twice: what a former try left may be the part that is wrong.
  for (let last = false; ; last = true) {
    const found = (await stat(part).catch(() => undefined))?.size ?? 0;
    const start = found > file.size ? 0 : found;
    const hash = digestOf(file);
    const target = await open(part, start === 0 ? 'w' : 'r+');
    try {
      if (start > 0)
        for await (const chunk of createReadStream(part, { end: start - 1 })) hash.update(chunk as Buffer);
      progress.have(start);
      const range = { owner, address, start, end: file.size, size: file.size, signal };
      let at = start;
      for await (const piece of readRange(range, remote)) {
        await write(target, piece, at);
        hash.update(piece);
        at += piece.length;
        progress.have(piece.length);
      }
      await target.sync();
    } finally {
      await target.close();
    }
    const digest = hash.digest('hex');
    if (digest === file.etag) {
      await rename(part, blob);
      return;
    }
    await rm(part, { force: true });
    progress.have(-file.size);
    if (last || start === 0) wrong(owner, file, digest);
    progress.note(`${file.path}: what a former try left is damaged; fetching it again`);
  }
}

/** The hub lists SHA-256 of a file's content; for small ones SHA-1 as git takes it: of a header and the content. */
function digestOf({ etag, size }: HubFile): Hash {
  return etag.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

async function write(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EFBIG']);

async function orFull<T>({ owner, file }: BlobRequest, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined || !FULL.has(code)) throw error;
    return complain(
      {
        code: 'HUB_DISK',
        owner: `${owner}, ${file.path}`,
        expected: `${file.size} bytes that can be written`,
        got: `${code}${path === undefined ? '' : ` at ${path}`}`,
        hint: 'free space there or set HF_HUB_CACHE to another folder, then try again: what has arrived is kept',
      },
      { cause: error },
    );
  }
}

function wrong(owner: string, { path, etag }: HubFile, got: string): never {
  return complain({
    code: 'HUB_DIGEST',
    owner: `${owner}, ${path}`,
    expected: `content with the digest ${etag}`,
    got,
    hint: 'it was damaged on the way, or HF_ENDPOINT holds other content than it lists: try again, or another endpoint',
  });
}
