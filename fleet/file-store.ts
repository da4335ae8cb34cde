/** @file A store in a folder that all machines of a fleet have mounted. */
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { writeAtomically } from '../formats/index.js';
import { IDENTITY, type BlobStore } from './blobs.js';
import { telling } from './store-error.js';

/** Once it has an identity, nothing is written, found missing or removed where that is not there: the folder of a mount that is gone is another one. */
export function fileStore(root: string): BlobStore {
  const shown = `file://${root}`;
  const kept = telling(shown);
  const read = (name: string): Promise<Buffer | undefined> => readFile(join(root, name)).catch(unlessMissing);
  let identity: string | undefined;
  const present = async (): Promise<void> => {
    if (identity === undefined) return;
    const found = (await read(IDENTITY))?.toString();
    if (found !== identity)
      throw new Error(`${found === undefined ? 'no' : 'another'} ${IDENTITY} in it: is it mounted?`);
  };
  const identified = (name: string, bytes: Uint8Array | undefined): void => {
    if (name === IDENTITY && bytes) identity ??= Buffer.from(bytes).toString();
  };
  return {
    shown,
    put: (name, bytes) =>
      kept(async () => {
        await present();
        const path = join(root, name);
        await mkdir(dirname(path), { recursive: true });
        await writeAtomically(path, [bytes]);
        identified(name, bytes);
      }),
    get: (name) =>
      kept(async () => {
        const bytes = await read(name);
        identified(name, bytes);
        if (bytes === undefined) await present();
        return bytes;
      }),
    list: (prefix) =>
      kept(async () => {
        await present();
        const folder = join(root, prefix.endsWith('/') ? prefix : dirname(prefix));
        const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessMissing);
        return (found ?? [])
          .filter((entry) => entry.isFile())
          .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
          .filter((name) => name.startsWith(prefix));
      }),
    remove: (names) =>
      kept(async () => {
        await present();
        for (const name of names) {
          await rm(join(root, name), { force: true });
          await rmdir(dirname(join(root, name))).catch(() => undefined); // others are in it
        }
      }),
  };
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
}
