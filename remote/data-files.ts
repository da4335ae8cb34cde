/** @file Which files of a dataset on the hub are its data. Reads none of them. */
import { readdir } from 'node:fs/promises';
import { sep } from 'node:path';
import { PACKED_ENDINGS, withoutCopies } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { Cache } from './cache.js';
import { atCommit, dataReference, isCommit, type Reference } from './reference.js';
import { commitOf, filesOf } from './repository.js';
import { remoteSettings, type Remote } from './settings.js';

/** Kinds of data files, the ones preferred first. */
const KINDS = [/\.parquet$/, /\.(arrow|feather|ipc)$/, ...[/\.jsonl?$/, /\.csv$/, /\.txt$/].map(orPacked)];

function orPacked({ source }: RegExp): RegExp {
  return new RegExp(`${source.replace(/\$$/, '')}(\\.(${PACKED_ENDINGS.join('|')}))?$`);
}

/**
 * The files that a reference to a dataset means, each as a reference at its commit, in the order of their names: the
 * file or the pattern (`*`, `**`, `?`) behind its name; of a whole dataset those of the most readable kind, and of these
 * the training split where one is named. Offline those in the cache.
 * @throws HUB_REFERENCE, HUB_DATA where there are none, HUB_OFFLINE, HUB_LISTING, HUB_PATH, REMOTE_*.
 */
export async function dataFiles(text: string, remote: Remote = remoteSettings()): Promise<string[]> {
  const reference = dataReference(text);
  const { path } = reference;
  if (path !== '' && !/[*?]/.test(path)) return [text];
  const { commit, names } = await listed(reference, remote);
  const chosen = path === '' ? training(names) : names.filter((name) => matcher(path).test(name));
  if (chosen.length > 0) return chosen.sort().map((name) => atCommit({ ...reference, path: name }, commit));
  return complain({
    code: 'HUB_DATA',
    owner: text,
    expected: path === '' ? 'Parquet, Arrow, JSON lines, CSV or text files' : 'files that fit the pattern',
    got: names.slice(0, 8).join(', ') || 'no files',
    hint: 'name a file of it; @refs%2Fconvert%2Fparquet often holds the same data as Parquet',
  });
}

async function listed(reference: Reference, remote: Remote): Promise<{ commit: string; names: string[] }> {
  if (!remote.offline) {
    const { revision } = reference;
    const commit = isCommit(revision) ? revision : await commitOf(reference, remote);
    const files = await filesOf(reference, commit, remote, true);
    return { commit, names: files.map(({ path }) => path) };
  }
  const cache = new Cache(reference, remote);
  const commit = await cache.commit(reference.revision);
  const names =
    commit === undefined ? [] : await readdir(cache.snapshot(commit), { recursive: true }).catch(() => []);
  if (commit !== undefined && names.length > 0)
    return { commit, names: names.map((name) => name.replaceAll(sep, '/')) };
  return complain({
    code: 'HUB_OFFLINE',
    owner: reference.text,
    expected: `the dataset in ${remote.cache}, as HF_HUB_OFFLINE allows no request`,
    got: 'none of its files',
    hint: 'download it where there is a network, or unset HF_HUB_OFFLINE',
  });
}

function training(names: readonly string[]): string[] {
  const kind = KINDS.map((pattern) => names.filter((name) => pattern.test(name))).find(
    (found) => found.length > 0,
  );
  const train = (kind ?? []).filter((name) => /(^|[^a-z])train([^a-z]|$)/i.test(name));
  return withoutCopies(train.length > 0 ? train : (kind ?? []));
}

/** `**` is any path, `*` and `?` stay inside a folder. */
function matcher(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*+|\?)/).map((part) => {
    if (part === '**/') return '(?:[^/]+/)*';
    if (part === '?') return '[^/]';
    return part === '*' ? '[^/]*' : part.startsWith('*') ? '.*' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
