/** @file Brings the files of a run into a directory: each whole and as its digest says, or not at all; and nothing beside the directory, whatever their names are. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isRunFile, type FilesView } from '../daemon/index.js';
import { syncFolder } from '../formats/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { ARRIVING, digestAt, noPlace, readGathered, removePartial, writeGathered } from './gathered.js';

type Listed = FilesView['files'][number];

/** Where the files are. */
export interface Source {
  list(): Promise<readonly Listed[]>;
  open(path: string): Promise<AsyncIterable<Uint8Array>>;
}

/** Told how far it is. */
export interface Watcher {
  /** What is to come, in bytes. */
  begin(total: number): void;
  arrived(bytes: number, path: string): void;
}

export interface GatheredCount {
  readonly files: number;
  readonly bytes: number;
  /** Files that were not here yet. */
  readonly fetched: number;
}

/** What a run changes while it is collected is asked for again, so often. */
const MOST_ROUNDS = 5;
/** What says that something is complete comes last. */
const MARKER = /(^|\/)(evaluation|summary)\.json$/;
/** Of what a list named, and is gone or another by now. */
const PASSED = ['DAEMON_FILE_UNKNOWN', 'FLEET_STORE_DAMAGED'];
/** In the middle of a file: whether its daemon is still there, the next list tells. */
const BROKEN_OFF = ['DAEMON_UNREACHABLE'];

/**
 * @param directory that is there. @param run whose files they are
 * @throws COLLECT_NAME, COLLECT_PLACE, COLLECT_CHANGED, COLLECT_UNSETTLED, RUN_EMPTY, RUN_NOT_EMPTY, and what the source throws
 */
export async function gather(
  source: Source,
  directory: string,
  run: string,
  watcher: Watcher,
): Promise<GatheredCount> {
  const into = await realpath(directory);
  let fetched = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const listed = await source.list();
    for (const { path } of listed) if (!isRunFile(path)) badName(run, path);
    if (listed.length === 0) nothingYet(run);
    const missing = await missingOf(listed, into, run);
    watcher.begin(missing.reduce((sum, { bytes }) => sum + bytes, 0));
    const there = await fetchAll(source, into, missing, watcher);
    fetched += there;
    if (there < missing.length) continue;
    await removePartial(into, run, new Set(listed.map(({ path }) => path)));
    return { files: listed.length, bytes: listed.reduce((sum, { bytes }) => sum + bytes, 0), fetched };
  }
  return complain({
    code: 'COLLECT_UNSETTLED',
    owner: `run ${run}`,
    expected: 'files that stay as they are while they are collected',
    got: `others in each of ${MOST_ROUNDS} attempts`,
    hint: 'collect again, or pause the run meanwhile; what has arrived is kept',
  });
}

/** What is not here as it should be; what people have changed here is not written over. */
async function missingOf(listed: readonly Listed[], into: string, run: string): Promise<readonly Listed[]> {
  const before = await readGathered(into, run);
  const files = new Map(Object.entries(before.files));
  const missing: Listed[] = [];
  for (const each of listed) {
    const { path, sha256 } = each;
    await madeFolder(into, dirname(path));
    const here = await digestAt(join(into, path));
    const known = [sha256, ...(files.get(path) ?? [])];
    if (here !== undefined && !known.includes(here)) changedHere(join(into, path));
    if (here !== sha256) missing.push(each);
    files.set(path, [...new Set([sha256, ...(here === undefined ? [] : [here])])]);
  }
  await writeGathered(into, { run, files: Object.fromEntries(files) });
  return missing.sort((a, b) => Number(MARKER.test(a.path)) - Number(MARKER.test(b.path)));
}

/** @returns how many arrived as they were listed */
async function fetchAll(
  source: Source,
  into: string,
  missing: readonly Listed[],
  watcher: Watcher,
): Promise<number> {
  const arriving = join(into, ARRIVING);
  let fetched = 0;
  try {
    if (missing.length > 0) await mkdir(arriving);
    for (const each of missing) {
      const temporary = join(arriving, 'file');
      if (!(await arrived(source, each, temporary, watcher))) continue;
      await madeFolder(into, dirname(each.path));
      await rename(temporary, join(into, each.path));
      await syncFolder(dirname(join(into, each.path)));
      fetched += 1;
    }
    return fetched;
  } finally {
    await rm(arriving, { recursive: true, force: true });
  }
}

/** Of what has grown meanwhile, as much as was listed. @returns whether it is what was listed */
async function arrived(
  source: Source,
  { path, bytes, sha256 }: Listed,
  temporary: string,
  watcher: Watcher,
): Promise<boolean> {
  const content = await source.open(path).catch(unlessOf(PASSED));
  if (!content) return false;
  const hash = createHash('sha256');
  const file = await open(temporary, 'w');
  let left = bytes;
  const write = async (): Promise<void> => {
    for await (const chunk of content) {
      const part = chunk.subarray(0, left);
      hash.update(part);
      await file.writeFile(part);
      left -= part.length;
      watcher.arrived(part.length, path);
      if (left === 0) break;
    }
    await file.sync();
  };
  try {
    await write().catch(unlessOf(BROKEN_OFF));
  } finally {
    await file.close();
  }
  return left === 0 && hash.digest('hex') === sha256;
}

/** Passes over errors of these codes. */
function unlessOf(codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof LatstreamError && codes.includes(error.code))) throw error;
    return undefined;
  };
}

/** Makes folders one by one: none of them is a link. */
async function madeFolder(into: string, folder: string): Promise<void> {
  if (folder === '.') return;
  await madeFolder(into, dirname(folder));
  const path = join(into, folder);
  await mkdir(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  if (!(await lstat(path)).isDirectory()) noPlace(path, 'a folder, or nothing');
}

function badName(run: string, path: string): never {
  return complain({
    code: 'COLLECT_NAME',
    owner: `run ${run}`,
    expected: "names of files in the run's directory",
    got: JSON.stringify(path.slice(0, 200)),
    hint: 'nothing was written; ask whoever runs that daemon',
  });
}

function nothingYet(run: string): never {
  return complain({
    code: 'RUN_EMPTY',
    owner: `run ${run}`,
    expected: 'files that can be collected',
    got: 'none',
    hint: 'wait until it has begun; in a shared queue, until its first checkpoint',
  });
}

function changedHere(path: string): never {
  return complain({
    code: 'COLLECT_CHANGED',
    owner: `collect, ${path}`,
    expected: 'a file as it was collected',
    got: 'one that was changed since',
    hint: 'collect into another directory, or move this file away',
  });
}
