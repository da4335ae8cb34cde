/** @file Opens bytes by their reference: a path, or an address elsewhere. Knows no file format. */
import { openFileBytes, type ByteSource } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import { Cache } from './cache.js';
import { openHttpBytes } from './http-bytes.js';
import { dataReference, isDataReference, isModelReference, modelReference } from './reference.js';
import { remoteSettings, type Remote } from './settings.js';

/**
 * Opens what a reference names; close it. `hf://datasets/…` is read from the cache that Hugging Face's tools share where
 * they left it there, else from the hub; `http://…` and `https://…` by range.
 * @throws HUB_REFERENCE, HUB_OFFLINE, REMOTE_*, and for a path what the operating system says.
 */
export async function openBytes(reference: string, remote: Remote = remoteSettings()): Promise<ByteSource> {
  if (/^https?:\/\//i.test(reference)) return openHttpBytes(reference, reference, remote);
  if (isDataReference(reference)) return openData(reference, remote);
  if (isModelReference(reference)) modelReference(reference);
  return openFileBytes(reference);
}

async function openData(text: string, remote: Remote): Promise<ByteSource> {
  const reference = dataReference(text);
  const { name, path, revision } = reference;
  if (path === '')
    complain({
      code: 'HUB_REFERENCE',
      owner: text,
      expected: 'one file of the dataset',
      got: 'the whole of it',
      hint: `add a path: hf://datasets/${name}/FILE`,
    });
  const cache = new Cache(reference, remote);
  const commit = await cache.commit(revision);
  const file = commit === undefined ? undefined : await cache.file(commit, path);
  if (file !== undefined) {
    const source = await openFileBytes(file);
    const etag = await cache.etag(file);
    return { ...source, path: text, ...(etag !== undefined && { etag }) };
  }
  const [at, inside] = [revision, path].map((part) => part.split('/').map(encodeURIComponent));
  const address = `${remote.endpoint}/datasets/${name}/resolve/${at?.join('%2F') ?? ''}/${inside?.join('/') ?? ''}`;
  return openHttpBytes(text, address, remote);
}
