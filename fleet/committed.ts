/** @file The files of a run as they were committed last, out of the store. */
import { createHash } from 'node:crypto';
import { unknownFile, type FileContent, type FilesView } from '../daemon/index.js';
import type { BlobStore } from './blobs.js';
import { pieceOf } from './publish.js';
import type { Manifest, ManifestFile } from './run.js';

export async function committedFiles(store: BlobStore, id: string, { files }: Manifest): Promise<FilesView> {
  const found: FilesView['files'] = [];
  for (const [path, file] of Object.entries(files))
    found.push({ path, bytes: file.bytes, sha256: file.sha256 ?? (await digestOf(store, id, file)) });
  return { files: found.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** @throws DAEMON_FILE_UNKNOWN; FLEET_STORE_DAMAGED where its beginning is gone, later its content does */
export async function committedFile(
  store: BlobStore,
  id: string,
  { files }: Manifest,
  name: string,
): Promise<FileContent> {
  const file = Object.hasOwn(files, name) ? files[name] : undefined;
  const { bytes, pieces } = file ?? unknownFile(name);
  const [first, ...rest] = pieces;
  const begin = first && (await pieceOf(store, id, first));
  async function* content(): AsyncGenerator<Uint8Array> {
    if (begin) yield begin;
    for (const piece of rest) yield await pieceOf(store, id, piece);
  }
  return { bytes, content: content() };
}

/** Of what was committed by a version that did not write it down. */
async function digestOf(store: BlobStore, id: string, { pieces }: ManifestFile): Promise<string> {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(await pieceOf(store, id, piece));
  return hash.digest('hex');
}
