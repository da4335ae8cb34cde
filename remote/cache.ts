/** @file The cache that Hugging Face's tools share: `models--ORG--NAME/{blobs,refs,snapshots}`. Downloads nothing. */
import { getRepoFolderName } from '@huggingface/hub';
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, readlink, rename, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { writeAtomically } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { isCommit, staysInside, type Reference } from './reference.js';
import type { HubFile } from './repository.js';
import type { Remote } from './settings.js';

/** What is kept of one repository. */
export class Cache {
  /** The repository's folder. */
  readonly folder: string;
  private readonly locks: string;

  constructor({ kind, name }: Pick<Reference, 'kind' | 'name'>, { cache }: Pick<Remote, 'cache'>) {
    const own = getRepoFolderName({ type: kind, name });
    this.folder = join(cache, own);
    this.locks = join(cache, '.locks', own);
  }

  /** The folder of a commit's files. */
  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** The content with a mark: a file's SHA-256, or git's SHA-1 of it. */
  blob(etag: string): string {
    return join(this.folder, 'blobs', checkedName(etag));
  }

  /** What says that a process is fetching a blob. Python's tools lock a file of another name. */
  async lock(etag: string): Promise<string> {
    await mkdir(this.locks, { recursive: true });
    return join(this.locks, `${checkedName(etag)}.fetching`);
  }

  /** Where a file of a commit lies; undefined where it is not here. */
  async file(commit: string, path: string): Promise<string | undefined> {
    const pointer = join(this.snapshot(commit), ...checkedPath(path).split('/'));
    // Follows the link: one whose blob was deleted holds nothing.
    const found = await stat(pointer).catch(() => undefined);
    return found?.isFile() ? pointer : undefined;
  }

  /** The files at the top of a commit's folder, under the names of their blobs. */
  async files(commit: string): Promise<HubFile[]> {
    const folder = this.snapshot(commit);
    const names = await readdir(folder).catch(() => []);
    const found = names.map(async (path) => {
      const { size } = (await stat(join(folder, path)).catch(() => undefined)) ?? { size: -1 };
      return { path, size, etag: (await this.etag(join(folder, path))) ?? '' };
    });
    return (await Promise.all(found)).filter(({ size }) => size >= 0);
  }

  /** The commit that a revision meant when it was last asked for; undefined where it never was. */
  async commit(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const text = await readFile(this.reference(revision), 'utf8').catch(() => '');
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  /** Keeps what a branch or tag means now. */
  async remember(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.commit(revision)) === commit) return;
    await mkdir(dirname(this.reference(revision)), { recursive: true });
    await writeAtomically(this.reference(revision), [commit]);
  }

  /** Shows a blob under its name in a commit: a link, or a copy where the system has none. */
  async show(commit: string, path: string, etag: string): Promise<string> {
    const pointer = join(this.snapshot(commit), ...checkedPath(path).split('/'));
    const target = relative(dirname(pointer), this.blob(etag));
    if ((await readlink(pointer).catch(() => undefined)) === target) return pointer;
    await mkdir(dirname(pointer), { recursive: true });
    // Under a name of its own first: others may show the same file at the same moment.
    const temporary = `${pointer}.${randomUUID()}.tmp`;
    await symlink(target, temporary).catch(() => copyFile(this.blob(etag), temporary));
    await rename(temporary, pointer);
    return pointer;
  }

  /** The mark of a cached file: the name of its blob. */
  async etag(pointer: string): Promise<string | undefined> {
    const target = await readlink(pointer).catch(() => undefined);
    return target === undefined ? undefined : basename(target);
  }

  private reference(revision: string): string {
    return join(this.folder, 'refs', ...checkedPath(revision).split('/'));
  }
}

function checkedPath(path: string): string {
  return staysInside(path) ? path : hostile(path);
}

function checkedName(etag: string): string {
  return /^[\w.-]{1,128}$/.test(etag) && staysInside(etag) ? etag : hostile(etag);
}

function hostile(path: string): never {
  return complain({
    code: 'HUB_PATH',
    owner: 'hub',
    expected: 'file names that stay inside their repository',
    got: JSON.stringify(path).slice(0, 120),
    hint: 'do not use this repository, or tell its owner',
  });
}
