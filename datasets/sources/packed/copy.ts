/** @file Unpacked copies of compressed files in the user's cache: whole or not there. Knows no compression. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { syncFolder, userCache, type ByteSource } from '../../../formats/index.js';
import { complain } from '../../../foundation/index.js';
import { isAddress, remoteSettings } from '../../../remote/index.js';
import { refuseContent, TELLING_BYTES, type Unpack } from './codecs.js';
import { Damaged } from './damaged.js';

const MIB = 2 ** 20;
const DAY = 86_400_000;

/** What a copy may take. */
export interface UnpackLimits {
  /** Bytes that any file may have when unpacked, */
  readonly bytes: number;
  /** and this many times its compressed size, where that is more. */
  readonly ratio: number;
  /** Bytes that must stay free on the disk. */
  readonly reserve: number;
  /** Bytes that can still be written where a folder is. */
  readonly free: (folder: string) => Promise<number>;
}

/** Bytes read at a time. */
const CHUNK_BYTES = MIB;
/** Bytes written between two looks at the free space. */
const STRIDE_BYTES = 16 * MIB;
/** Bytes at either end of a file that its key depends on: a checksum ends most. */
const KEY_BYTES = 2 ** 16;
/** What was not opened for so long goes, and what nobody writes on any more. */
const KEPT = { copy: 30 * DAY, part: DAY } as const;

/** One is made at a time, however many files are opened together. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * The path of the unpacked copy; made where there is none of this very content yet.
 * @throws DATASET_COMPRESSED, DATASET_UNPACKED, DATASET_SPACE; what reading throws.
 */
export function unpackedCopy(
  packed: ByteSource,
  unpack: Unpack,
  limits: Partial<UnpackLimits> = {},
): Promise<string> {
  const usual = { bytes: 1024 * MIB, ratio: 200, reserve: 256 * MIB, free: remoteSettings().free };
  const made = turn.then(async () => {
    const folder = join(userCache(), 'unpacked');
    const key = await keyOf(packed);
    return (await found(folder, key)) ?? (await make({ packed, unpack, folder, key, ...usual, ...limits }));
  });
  turn = made.catch(() => undefined);
  return made;
}

/** Names a content: where it is, and all that tells it from another one there. */
async function keyOf(packed: ByteSource): Promise<string> {
  const { path, size, etag } = packed;
  const local = !isAddress(path);
  const changed = local ? (await stat(path, { bigint: true })).mtimeNs : undefined;
  const ends = Math.min(KEY_BYTES, size);
  const hash = createHash('sha256');
  hash.update(JSON.stringify([1, local ? resolve(path) : path, size, String(changed ?? etag)]));
  hash.update(await packed.read(0, ends)).update(await packed.read(size - ends, ends));
  return hash.digest('hex').slice(0, 32);
}

/** A copy's name ends with its size. */
async function found(folder: string, key: string): Promise<string | undefined> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(`${key}-`) || name.endsWith('.tmp')) continue;
    const path = join(folder, name);
    const { size } = await stat(path).catch(() => ({ size: -1 }));
    if (name !== `${key}-${size}`) continue;
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined); // it is in use
    return path;
  }
  return undefined;
}

interface Work extends UnpackLimits {
  readonly packed: ByteSource;
  readonly unpack: Unpack;
  readonly folder: string;
  readonly key: string;
}

async function make(work: Work): Promise<string> {
  const { folder, key, packed } = work;
  const part = join(folder, `${key}-${randomUUID()}.tmp`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeOld(folder);
    const bytes = await write(part, work);
    const path = join(folder, `${key}-${bytes}`);
    await rename(part, path);
    await syncFolder(folder);
    return path;
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    return explain(error, packed.path, folder);
  }
}

/** @returns how many bytes were written, and are on the disk. */
async function write(part: string, work: Work): Promise<number> {
  const { packed, unpack, folder, reserve, free } = work;
  const most = Math.max(work.bytes, work.ratio * packed.size);
  const file = await open(part, 'wx', 0o600);
  try {
    let written = 0;
    let look = STRIDE_BYTES;
    let start = Buffer.alloc(0);
    for await (const chunk of unpack(chunksOf(packed))) {
      written += chunk.length;
      if (written > most) return tooLarge(packed, most);
      if (written > look) {
        look = written + STRIDE_BYTES;
        const left = await free(folder);
        if (left < reserve) return noSpace(packed.path, folder, `${left} bytes left on the disk`);
      }
      if (start.length < TELLING_BYTES) {
        start = Buffer.concat([start, chunk.subarray(0, TELLING_BYTES)]);
        refuseContent(start, packed.path);
      }
      await file.writeFile(chunk);
    }
    await file.sync();
    return written;
  } finally {
    await file.close();
  }
}

async function* chunksOf(bytes: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.size; at += CHUNK_BYTES)
    yield await bytes.read(at, Math.min(CHUNK_BYTES, bytes.size - at));
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    const kept = name.endsWith('.tmp') ? KEPT.part : KEPT.copy;
    if (Date.now() - mtimeMs > kept) await rm(path, { force: true });
  }
}

/** Throws what a user can act on. */
function explain(error: unknown, path: string, folder: string): never {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof Damaged)
    complain(
      {
        code: 'DATASET_COMPRESSED',
        owner: `dataset ${path}`,
        expected: 'a whole compressed file',
        got: message,
        hint: 'download or pack it again, or unpack it yourself and name what comes of it',
      },
      { cause: error },
    );
  if (/^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM|ENOTDIR|EEXIST)$/.test(code ?? ''))
    noSpace(path, folder, message, error);
  throw error;
}

function tooLarge({ path, size }: ByteSource, most: number): never {
  return complain({
    code: 'DATASET_UNPACKED',
    owner: `dataset ${path}`,
    expected: `at most ${most} bytes in a compressed file of ${size}`,
    got: 'more',
    hint: 'if it is what it should be, unpack it yourself and name what comes of it',
  });
}

function noSpace(path: string, folder: string, got: string, cause?: unknown): never {
  return complain(
    {
      code: 'DATASET_SPACE',
      owner: `dataset ${path}`,
      expected: `a place for its unpacked copy in ${folder}`,
      got,
      hint: 'free space there, or let XDG_CACHE_HOME name a folder with more of it',
    },
    { cause },
  );
}
