/** @file A store in a folder that all machines of a fleet have mounted. */
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { writeAtomically } from '../formats/index.js';
import type { BlobStore } from './blobs.js';
import { telling } from './store-error.js';

export function fileStore(root: string): BlobStore {
  const shown = `file://${root}`;
  const kept = telling(shown);
  return {
    shown,
    put: (name, bytes) =>
      kept(async () => {
        const path = join(root, name);
        await mkdir(dirname(path), { recursive: true });
        await writeAtomically(path, [bytes]);
      }),
    get: (name) => kept(() => readFile(join(root, name)).catch(unlessMissing)),
    list: (prefix) =>
      kept(async () => {
        const folder = join(root, prefix.endsWith('/') ? prefix : dirname(prefix));
        const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessMissing);
        return (found ?? [])
          .filter((entry) => entry.isFile())
          .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
          .filter((name) => name.startsWith(prefix));
      }),
    remove: (names) =>
      kept(async () => {
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
