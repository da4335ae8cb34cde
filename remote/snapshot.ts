/** @file A model or adapter of the hub as a folder (or one file) of this machine. Knows nothing of what is in the files. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { complain, LatstreamError } from '../foundation/index.js';
import { fetchBlob, type Progress } from './blob.js';
import { Cache } from './cache.js';
import { chooseFiles, shardsOf, type Chosen, type Use } from './choose.js';
import { atCommit, isCommit, modelReference, type Reference } from './reference.js';
import { commitOf, fileAt, filesOf, type HubFile } from './repository.js';
import { remoteSettings, type Remote } from './settings.js';

/** What a reference is on this machine. */
export interface Snapshot {
  /** A folder in Hugging Face layout, or a `.gguf` file. */
  readonly path: string;
  readonly commit: string;
  /** The same reference at its commit: it never means anything else. */
  readonly pinned: string;
}

/** Who watches a download. */
export interface Watcher extends Progress {
  /** Bytes that there will be in all. */
  readonly total: (bytes: number) => void;
}

export interface SnapshotOptions {
  readonly use: Use;
  readonly watcher: Watcher;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads what is missing. For a commit that is here, and offline, it asks nobody; where the hub cannot be reached,
 * it takes what a branch meant last.
 * @throws HUB_REFERENCE, HUB_OFFLINE, HUB_PICKLE, HUB_WEIGHTS, HUB_LISTING, HUB_PATH, HUB_DIGEST, HUB_DISK, REMOTE_*.
 */
export async function fetchSnapshot(
  text: string,
  options: SnapshotOptions,
  remote: Remote = remoteSettings(),
): Promise<Snapshot> {
  const reference = modelReference(text);
  const cache = new Cache(reference, remote);
  const here = (sure: boolean): Promise<Snapshot | undefined> =>
    complete(cache, reference, options.use, sure);
  if (remote.offline) return (await here(false)) ?? notHere(reference, remote);
  const known = isCommit(reference.revision) ? await here(true) : undefined;
  if (known) return known;
  try {
    return await download(reference, cache, options, remote);
  } catch (error) {
    if (!(error instanceof LatstreamError && error.code === 'REMOTE_UNREACHABLE')) throw error;
    const last = await here(false);
    if (!last) throw error;
    options.watcher.note(`${error.message}; using what was downloaded before`);
    return last;
  }
}

async function download(
  reference: Reference,
  cache: Cache,
  options: SnapshotOptions,
  remote: Remote,
): Promise<Snapshot> {
  const { text, revision, path } = reference;
  const { use, watcher } = options;
  const commit = await commitOf(reference, remote);
  const listed = path === '' ? await filesOf(reference, commit, remote) : [];
  const chosen = path === '' ? chooseFiles(listed, use, text) : await oneFile(reference, commit, remote);
  const { index, single } = chosen;
  let files = chosen.files;
  if (index) {
    // It says which files there are besides, and it is small.
    await fetchFiles(
      [index],
      reference,
      commit,
      cache,
      { ...options, watcher: { ...watcher, have: nothing } },
      remote,
    );
    files = [...files, ...shardsOf(await readFile(cache.blob(index.etag), 'utf8'), listed, text)];
  }
  watcher.total(files.reduce((sum, { size }) => sum + size, 0));
  await checkSpace(files, cache, text, remote);
  await fetchFiles(files, reference, commit, cache, options, remote);
  // Last: a branch that is remembered has all that belongs to it.
  await cache.remember(revision, commit);
  return found(reference, commit, cache, single?.path);
}

const nothing = (): void => undefined;

/** A few at a time; where one fails, the others stop. */
async function fetchFiles(
  files: readonly HubFile[],
  { text: owner, name }: Reference,
  commit: string,
  cache: Cache,
  { watcher, signal }: SnapshotOptions,
  remote: Remote,
): Promise<void> {
  const stop = new AbortController();
  const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const queue = files.values();
  const fetchNext = async (): Promise<void> => {
    for (const file of queue) {
      until.throwIfAborted();
      const inside = file.path.split('/').map(encodeURIComponent).join('/');
      const address = `${remote.endpoint}/${name}/resolve/${commit}/${inside}`;
      await fetchBlob({ owner, address, file, signal: until }, cache, watcher, remote);
      await cache.show(commit, file.path, file.etag);
    }
  };
  let failure: { readonly reason: unknown } | undefined;
  const workers = Array.from({ length: remote.concurrency }, () =>
    fetchNext().catch((reason: unknown) => {
      failure ??= { reason };
      stop.abort(reason);
    }),
  );
  await Promise.all(workers);
  if (failure) throw failure.reason;
}

async function oneFile(reference: Reference, commit: string, remote: Remote): Promise<Chosen> {
  const file = await fileAt(reference, commit, remote);
  if (file && /\.gguf$/i.test(file.path)) return { files: [file], single: file };
  return complain({
    code: 'HUB_WEIGHTS',
    owner: reference.text,
    expected: 'a .gguf file of the repository',
    got: file ? 'another kind of file' : 'none of that name',
    hint: 'name a .gguf file of it, or the repository alone',
  });
}

/**
 * A commit whose files are here already.
 * @param sure only where no file can be missing, nor be there instead of a better one.
 */
async function complete(
  cache: Cache,
  reference: Reference,
  use: Use,
  sure: boolean,
): Promise<Snapshot | undefined> {
  const { path, revision, text } = reference;
  const commit = await cache.commit(revision);
  if (commit === undefined) return undefined;
  if (path !== '')
    return (await cache.file(commit, path)) === undefined ? undefined : found(reference, commit, cache, path);
  const files = await cache.files(commit);
  const has = (name: string): boolean => files.some((file) => file.path === name);
  try {
    const { single, index } = chooseFiles(files, use, text);
    if (index) shardsOf(await readFile(join(cache.snapshot(commit), index.path), 'utf8'), files, text);
    const wanted = use === 'adapter' ? 'adapter_config.json' : 'config.json';
    if (!single && !has(wanted)) return undefined;
    if (sure && use === 'model' && (single || !has('tokenizer.json'))) return undefined;
    return found(reference, commit, cache, single?.path);
  } catch (error) {
    if (error instanceof LatstreamError) return undefined; // something that is needed is not here
    throw error;
  }
}

function found(reference: Reference, commit: string, cache: Cache, file = ''): Snapshot {
  const pinned = atCommit({ ...reference, path: file }, commit);
  return { path: join(cache.snapshot(commit), file), commit, pinned };
}

async function checkSpace(
  files: readonly HubFile[],
  cache: Cache,
  owner: string,
  remote: Remote,
): Promise<void> {
  const missing = await Promise.all(
    files.map(async ({ etag, size }) => {
      const sizeAt = async (path: string): Promise<number> =>
        (await stat(path).catch(() => undefined))?.size ?? 0;
      const blob = cache.blob(etag);
      return Math.max(0, size - Math.max(await sizeAt(blob), await sizeAt(`${blob}.incomplete`)));
    }),
  );
  const needed = missing.reduce((sum, bytes) => sum + bytes, 0);
  const free = needed === 0 ? Infinity : await remote.free(remote.cache);
  if (needed <= free) return;
  complain({
    code: 'HUB_DISK',
    owner,
    expected: `${needed} bytes free at ${remote.cache}`,
    got: `${free}`,
    hint: 'free space there, or set HF_HUB_CACHE to a folder with more',
  });
}

function notHere({ text, kind }: Pick<Reference, 'text' | 'kind'>, remote: Remote): never {
  return complain({
    code: 'HUB_OFFLINE',
    owner: text,
    expected: `the ${kind} in ${remote.cache}, as HF_HUB_OFFLINE allows no download`,
    got: 'not all of its files',
    hint: 'download it where there is a network (latstream download), or unset HF_HUB_OFFLINE',
  });
}
