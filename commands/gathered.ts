/** @file What a directory holds of a run that was collected into it: a file of its own says which run, and what each file was when it came. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { lstat, readdir, readFile, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { corruptPart, parsedPart } from './run/directory.js';
import { LOCK } from './run/lock.js';

/** Its name: none that a file of a run has. */
const RECORD = '.collected.json';
/** Where files are until they are whole. */
export const ARRIVING = '.collecting';
const CHECKPOINT = /\/step-\d+\/[^/]+$/;

const record = z.object({
  run: z.string(),
  /** By name: digests that were to come, the newest first. */
  files: z.record(z.string(), z.array(z.string())),
});

export type Gathered = z.infer<typeof record>;

/** @throws RUN_NOT_EMPTY where something else is in it, RUN_CORRUPT */
export async function readGathered(directory: string, run: string): Promise<Gathered> {
  await rm(join(directory, ARRIVING), { recursive: true, force: true }); // of a collecting that was killed
  const found = (await readdir(directory)).filter((name) => !name.startsWith(LOCK));
  if (found.length === 0) return { run, files: {} };
  const path = join(directory, RECORD);
  const text = found.includes(RECORD) ? await readFile(path, 'utf8') : undefined;
  const read = text === undefined ? undefined : record.safeParse(parsedPart(text, path));
  if (read && !read.success) return corruptPart(path, 'what was collected', 'something else');
  if (read?.data.run === run) return read.data;
  return complain({
    code: 'RUN_NOT_EMPTY',
    owner: `run ${run} into ${directory}`,
    expected: 'a directory that is new, empty, or was collected from this run',
    got: read ? `one of run ${read.data.run}` : `one that holds ${found.slice(0, 3).join(', ')}`,
    hint: 'choose another directory',
  });
}

export function writeGathered(directory: string, gathered: Gathered): Promise<void> {
  return writeAtomically(join(directory, RECORD), [`${JSON.stringify(gathered)}\n`]);
}

/** SHA-256 of a regular file; undefined where there is none. @throws COLLECT_PLACE where something else is */
export async function digestAt(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch((error: unknown) =>
    ['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code)) ? undefined : raise(error),
  );
  if (!found) return undefined;
  if (!found.isFile()) return noPlace(path, 'a file, or nothing');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Of checkpoints that are not listed any more, those that never came whole go. @param directory its real path. @param listed names of files */
export async function removePartial(
  directory: string,
  run: string,
  listed: ReadonlySet<string>,
): Promise<void> {
  const { files } = await readGathered(directory, run);
  const gone = Object.keys(files).filter((name) => CHECKPOINT.test(name) && !listed.has(name));
  const missing = gone.filter((name) => !existsSync(join(directory, name)));
  const partial = new Set(missing.map((name) => dirname(name)));
  for (const name of gone.filter((each) => partial.has(dirname(each)))) {
    const path = join(directory, name);
    const folder = await realpath(dirname(path)).catch(() => ''); // not through a link
    const ours = folder === dirname(path) && files[name]?.includes((await digestAt(path)) ?? '');
    if (ours) await rm(path);
  }
  for (const folder of partial) await rmdir(join(directory, folder)).catch(() => undefined); // something else is in it
}

export function noPlace(path: string, expected: string): never {
  return complain({
    code: 'COLLECT_PLACE',
    owner: `collect, ${path}`,
    expected,
    got: 'something else, such as a link',
    hint: 'nothing is written through it: remove it, or choose another directory',
  });
}

function raise(error: unknown): never {
  throw error;
}
