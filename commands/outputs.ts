/** @file Where results may be written: looked at before any work is spent on them. Knows nothing about runs. */
import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { complain } from '../foundation/index.js';

/**
 * Makes a directory and those above it that are missing.
 *
 * One by one: `mkdir` with `recursive` never returns where the file system refuses with ENOENT, as /proc does.
 * @returns what was made, outermost first
 * @throws OUT_NOT_DIRECTORY, OUT_NOT_WRITABLE
 */
export async function makeDirectory(path: string): Promise<readonly string[]> {
  const missing: string[] = [];
  let parent = resolve(path);
  for (; !(await isDirectory(parent)); parent = dirname(parent)) missing.unshift(parent);
  await access(parent, constants.W_OK | constants.X_OK).catch((error: unknown) => notWritable(parent, error));
  const made: string[] = [];
  for (const directory of missing) {
    try {
      await mkdir(directory);
      made.push(directory);
    } catch (error) {
      // Somebody else may have made it meanwhile; a link to nowhere is neither there nor can it be made.
      if (codeOf(error) !== 'EEXIST' || !(await isDirectory(directory))) notWritable(directory, error);
    }
  }
  return made;
}

/**
 * Looks whether a file can be written, or written anew.
 * @throws OUT_IS_DIRECTORY, OUT_FOLDER_MISSING, OUT_NOT_DIRECTORY, OUT_NOT_WRITABLE
 */
export async function checkOutFile(path: string): Promise<void> {
  const [file, folder] = [resolve(path), dirname(resolve(path))];
  if (!(await isDirectory(folder)))
    complain({
      code: 'OUT_FOLDER_MISSING',
      owner: `--out ${path}`,
      expected: 'a file in a folder that exists',
      got: `none at ${folder}`,
      hint: `make it (mkdir -p ${folder}), or choose another`,
    });
  if (
    await stat(file).then(
      (found) => found.isDirectory(),
      () => false,
    )
  )
    complain({
      code: 'OUT_IS_DIRECTORY',
      owner: `--out ${path}`,
      expected: 'a file',
      got: 'a directory',
      hint: 'name a file in it',
    });
  // It is written under another name and renamed: the folder is what must be writable.
  await access(folder, constants.W_OK | constants.X_OK).catch((error: unknown) => notWritable(folder, error));
}

/** @throws OUT_NOT_WRITABLE */
export function notWritable(path: string, error: unknown): never {
  return complain(
    {
      code: 'OUT_NOT_WRITABLE',
      owner: `output ${path}`,
      expected: 'a place that can be written',
      got: codeOf(error) ?? String(error),
      hint: 'check permissions and free space, or choose another --out',
    },
    { cause: error },
  );
}

/** False where nothing is there. @throws OUT_NOT_DIRECTORY where something else is */
async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    return missing ? undefined : notWritable(path, error);
  });
  if (found && !found.isDirectory())
    complain({
      code: 'OUT_NOT_DIRECTORY',
      owner: `output ${path}`,
      expected: 'a directory, or nothing yet',
      got: 'a file',
      hint: 'choose another --out',
    });
  return found !== undefined;
}

/** The operating system's code of an error. */
export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
