/** @file Files that are there whole or not at all: temporary name, fsync, rename. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file so that a crash at any moment leaves the old content or the new one, never a part.
 * @param chunks written one after the other. @param mode what the file may be used for, as in `open`
 */
export async function writeAtomically(
  path: string,
  chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
  mode = 0o666,
): Promise<void> {
  // Of nobody else: processes of two containers can have one pid.
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'w', mode);
  try {
    for await (const chunk of chunks) await file.writeFile(chunk);
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await file.close();
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Makes the renaming itself durable, where the platform can. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  if (!folder) return;
  await folder.sync().catch(() => undefined);
  await folder.close();
}
