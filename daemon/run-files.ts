/** @file The files of a run's directory: their names, their digests, and the bytes of one; nothing that is beside it, whatever a name or a link says. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesView } from './protocol.js';
import { unknownFile } from './run-errors.js';

/** Files that a process of the run may be writing, or a former one was; and locks, which are this machine's. */
const PASSING = /(^|\/)(\.[^/]*|run\.lock[^/]*|[^/]*\.tmp|[^/]*\.new)(\/|$)/;
/** A link at its end is not followed, and a pipe not waited for. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The bytes of a file, as many as are said. */
export interface FileContent {
  readonly bytes: number;
  /** Once. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Whether a name, with slashes, can be that of a run's file: in its directory, and not passing. */
export function isRunFile(name: string): boolean {
  return name.split('/').every((part) => part !== '' && !/[\\\0]/.test(part)) && !PASSING.test(name);
}

/** Names of its files, with slashes; of a folder that went away meanwhile, one that is not there. */
export async function namesIn(directory: string, folder = ''): Promise<string[]> {
  const names: string[] = [];
  const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch((error: unknown) =>
    isMissing(error) && folder !== '' ? undefined : raise(error),
  );
  if (entries === undefined) return [`${folder}/gone`];
  for (const entry of entries) {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!isRunFile(name)) continue;
    if (entry.isDirectory()) names.push(...(await namesIn(directory, name)));
    else if (entry.isFile()) names.push(name);
  }
  return names;
}

/** What is there of a run; what goes away meanwhile is left out. */
export async function filesIn(directory: string): Promise<FilesView> {
  const names = await namesIn(directory).catch((error: unknown) => (isMissing(error) ? [] : raise(error)));
  const files: FilesView['files'] = [];
  for (const path of names.sort()) {
    const file = await opened(directory, path);
    if (!file) continue;
    const hash = createHash('sha256');
    const { bytes, content } = await contentOf(file);
    for await (const chunk of content) hash.update(chunk);
    files.push({ path, bytes, sha256: hash.digest('hex') });
  }
  return { files };
}

/** What it holds now; what is appended meanwhile is not in it. @throws DAEMON_FILE_UNKNOWN */
export async function fileIn(directory: string, name: string): Promise<FileContent> {
  return contentOf((await opened(directory, name)) ?? unknownFile(name));
}

/** Undefined where there is no regular file of that name in the directory itself, behind no link. */
async function opened(directory: string, name: string): Promise<FileHandle | undefined> {
  if (!isRunFile(name)) return undefined;
  let file: FileHandle | undefined;
  try {
    const path = join(await realpath(directory), name);
    file = await open(path, READ);
    const [found, there] = [await file.stat(), await stat(path)];
    // A folder of the path that is a link makes another real path.
    const own = (await realpath(path)) === path && found.ino === there.ino && found.dev === there.dev;
    if (found.isFile() && own) return file;
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENAMETOOLONG'].includes(codeOf(error))) {
      await file?.close();
      throw error;
    }
  }
  await file?.close();
  return undefined;
}

async function contentOf(file: FileHandle): Promise<FileContent> {
  const { size } = await file.stat();
  if (size > 0) return { bytes: size, content: file.createReadStream({ end: size - 1 }) };
  await file.close();
  return { bytes: 0, content: nothing() };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file has no bytes.
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function raise(error: unknown): never {
  throw error;
}
