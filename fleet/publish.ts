/**
 * @file A run's directory in a store, and back. Pieces are named by the run, the publishing that wrote them, and their digest; who
 * publishes uses older pieces only where the last commit names them. So what a commit no longer names is never named
 * again, and may be removed by whoever made that commit, however late.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { complain } from '../foundation/index.js';
import type { BlobStore } from './blobs.js';
import type { Manifest, ManifestFile, Piece } from './run.js';
import { snapshot, type SnapshotFile } from './snapshot.js';

/** In memory at a time. */
const PIECE_BYTES = 2 ** 23;

/**
 * Writes what a store does not have yet. What it returns means something once it is committed.
 * @param batch see `Piece`: another one each time. @param known what was committed last
 */
export async function published(
  store: BlobStore,
  { id, batch }: { readonly id: string; readonly batch: string },
  directory: string,
  known: Manifest | undefined,
): Promise<Manifest> {
  const view = `${directory}.publishing`;
  const there = new Map(piecesOf(known).map((piece) => [piece.sha256, piece]));
  try {
    const files: Record<string, ManifestFile> = {};
    for (const file of await snapshot(directory, view))
      files[file.name] = { bytes: file.bytes, ...(await keptPieces(store, id, batch, file, there)) };
    return { files };
  } finally {
    await rm(view, { recursive: true, force: true });
  }
}

async function keptPieces(
  store: BlobStore,
  id: string,
  batch: string,
  { path, bytes }: SnapshotFile,
  there: Map<string, Piece>,
): Promise<Omit<ManifestFile, 'bytes'>> {
  const pieces: Piece[] = [];
  const whole = createHash('sha256');
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes - at));
      await readWhole(file, piece, at, path);
      const sha256 = digestOf(piece);
      if (bytes > PIECE_BYTES) whole.update(piece);
      const kept = there.get(sha256) ?? { batch, sha256 };
      if (!there.has(sha256)) await store.put(nameOf(id, kept), piece);
      there.set(sha256, kept);
      pieces.push(kept);
    }
    const [first, second] = pieces;
    return { sha256: first && !second ? first.sha256 : whole.digest('hex'), pieces };
  } finally {
    await file.close();
  }
}

async function readWhole(
  file: Awaited<ReturnType<typeof open>>,
  into: Buffer,
  position: number,
  path: string,
): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new Error(`${path} has become shorter`);
    done += bytesRead;
  }
}

/** Removes what a commit no longer names. @param before what was committed before it */
export async function removeUnnamed(
  store: BlobStore,
  id: string,
  before: Manifest | undefined,
  now: Manifest,
): Promise<void> {
  const named = new Set(piecesOf(now).map((piece) => nameOf(id, piece)));
  const old = new Set(piecesOf(before).map((piece) => nameOf(id, piece)));
  await store.remove([...old].filter((name) => !named.has(name)));
}

/**
 * Removes what former workers left: pieces that they wrote and could not commit any more.
 * @param epoch of the worker that has the run: nobody older will commit anything
 */
export async function removeLeftovers(
  store: BlobStore,
  id: string,
  epoch: number,
  now: Manifest | undefined,
): Promise<number> {
  const named = new Set(piecesOf(now).map((piece) => nameOf(id, piece)));
  const left = (await store.list(folderOf(id))).filter(
    (name) => !named.has(name) && Number(name.slice(folderOf(id).length).split('.')[0]) < epoch,
  );
  await store.remove(left);
  return left.length;
}

/**
 * Writes what was committed into a directory, and checks every byte.
 * @param wanted of the files' names; all of them by default. @throws FLEET_STORE_DAMAGED
 */
export async function materialize(
  store: BlobStore,
  id: string,
  { files }: Manifest,
  directory: string,
  wanted: (name: string) => boolean = () => true,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, { pieces }] of Object.entries(files)) {
    if (!wanted(name)) continue;
    const path = inside(directory, name);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'w');
    try {
      for (const piece of pieces) await file.writeFile(await pieceOf(store, id, piece));
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

export async function pieceOf(store: BlobStore, id: string, piece: Piece): Promise<Uint8Array> {
  const name = nameOf(id, piece);
  const bytes = (await store.get(name)) ?? damaged(store, name, 'none');
  return digestOf(bytes) === piece.sha256 ? bytes : damaged(store, name, 'other bytes');
}

function damaged(store: BlobStore, name: string, got: string): never {
  return complain({
    code: 'FLEET_STORE_DAMAGED',
    owner: `store ${store.shown}, ${name}`,
    expected: 'the bytes that were committed',
    got,
    hint: 'restore the store from a copy, or submit the run again',
  });
}

/** A manifest comes from elsewhere: no name of it leads out of the directory. */
function inside(directory: string, name: string): string {
  const path = resolve(directory, name);
  if (!path.startsWith(resolve(directory) + sep)) throw new Error(`manifest names ${name}`);
  return path;
}

function piecesOf(manifest: Manifest | undefined): Piece[] {
  return Object.values(manifest?.files ?? {}).flatMap(({ pieces }) => pieces);
}

function nameOf(id: string, { batch, sha256 }: Piece): string {
  return `${folderOf(id)}${batch}/${sha256}`;
}

function folderOf(id: string): string {
  return `runs/${id}/`;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
