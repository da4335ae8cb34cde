/** @file What a repository of the hub holds at a revision. Downloads no files. */
import { datasetInfo, listFiles, modelInfo, pathsInfo, type ListFileEntry } from '@huggingface/hub';
import { complain, LatstreamError } from '../foundation/index.js';
import { ask } from './ask.js';
import { Attempts, insisting } from './attempts.js';
import { isCommit, staysInside, type Reference } from './reference.js';
import type { Remote } from './settings.js';

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of its content; or git's SHA-1 of it where it is kept in git itself. Names the blob in the cache. */
  readonly etag: string;
}

type Entry = Pick<ListFileEntry, 'path' | 'size' | 'oid' | 'lfs'>;

/** The commit that a revision means. @throws HUB_ANSWER, REMOTE_MISSING and what else asking throws. */
export async function commitOf({ text, kind, name, revision }: Reference, remote: Remote): Promise<string> {
  const params = { name, revision, additionalFields: ['sha' as const], ...access(text, remote) };
  const { sha } = await understood(text, () => (kind === 'model' ? modelInfo(params) : datasetInfo(params)));
  return typeof sha === 'string' && isCommit(sha) ? sha : badAnswer(text, 'a commit hash', sha);
}

/**
 * The files of a commit: of its top folder, or in all folders.
 * @throws HUB_LISTING where there are too many, HUB_PATH, HUB_ANSWER, and what asking throws.
 */
export async function filesOf(
  { text, kind, name }: Reference,
  commit: string,
  remote: Remote,
  recursive = false,
): Promise<HubFile[]> {
  const repo = { type: kind, name };
  const found: HubFile[] = [];
  let entries = 0;
  await understood(text, async () => {
    for await (const entry of listFiles({ repo, revision: commit, recursive, ...access(text, remote) })) {
      if (++entries > remote.listing.entries) tooLong(text, `${remote.listing.entries} entries`);
      if (entry.type === 'file') found.push(fileOf(entry, text));
    }
  });
  return found;
}

/** One file of a commit; undefined where there is none of that name. @throws as {@link filesOf} */
export async function fileAt(
  { text, kind, name, path }: Reference,
  commit: string,
  remote: Remote,
): Promise<HubFile | undefined> {
  const repo = { type: kind, name };
  const [entry] = await understood(text, () =>
    pathsInfo({ repo, revision: commit, paths: [path], ...access(text, remote) }),
  );
  return entry?.type === 'file' ? fileOf(entry, text) : undefined;
}

function fileOf({ path, size, oid, lfs }: Entry, owner: string): HubFile {
  const etag = lfs?.oid ?? oid;
  if (typeof path !== 'string' || typeof etag !== 'string' || !Number.isSafeInteger(size) || size < 0)
    return badAnswer(owner, 'files with path, size and oid', { path, size, oid });
  if (staysInside(path) && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) return { path, size, etag };
  return complain({
    code: 'HUB_PATH',
    owner,
    expected: 'file names that stay inside their repository, and hashes',
    got: JSON.stringify(staysInside(path) ? etag : path).slice(0, 120),
    hint: 'do not use this repository, or tell its owner',
  });
}

/**
 * Where and how the library asks. It would ask once, send a token wherever the answer points, and read answers of any
 * size: so it asks through us, and knows no token.
 */
function access(owner: string, remote: Remote): { readonly hubUrl: string; readonly fetch: typeof fetch } {
  const attempts = new Attempts(owner, remote);
  let bytes = 0;
  let pages = 0;
  const asking: typeof fetch = async (input, init) =>
    insisting(attempts, async () => {
      if (++pages > remote.listing.pages) tooLong(owner, `${remote.listing.pages} pages`);
      const headers = Object.fromEntries(new Headers(init?.headers).entries());
      const reply = await ask(
        addressOf(input),
        {
          owner,
          headers,
          ...(init?.method && { method: init.method }),
          ...(typeof init?.body === 'string' && { body: init.body }),
        },
        remote,
      );
      try {
        const parts: Uint8Array[] = [];
        for await (const chunk of reply.chunks) {
          bytes += chunk.length;
          if (bytes > remote.listing.bytes) tooLong(owner, `${remote.listing.bytes} bytes`);
          parts.push(chunk);
        }
        return new Response(checkedJson(Buffer.concat(parts), owner), { headers: reply.headers });
      } finally {
        reply.drop();
      }
    });
  return { hubUrl: remote.endpoint, fetch: asking };
}

/** The library takes answers for what they should be. */
async function understood<T>(owner: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof LatstreamError) throw error;
    return badAnswer(owner, 'what its interface promises', (error as Error).message);
  }
}

function addressOf(input: string | URL | Request): string {
  return input instanceof Request ? input.url : String(input);
}

function checkedJson(bytes: Buffer, owner: string): string {
  const text = bytes.toString('utf8');
  try {
    JSON.parse(text);
  } catch {
    return badAnswer(owner, 'JSON', text);
  }
  return text;
}

function badAnswer(owner: string, expected: string, got: unknown): never {
  return complain({
    code: 'HUB_ANSWER',
    owner,
    expected: `an answer of the hub: ${expected}`,
    got: (typeof got === 'string' ? got : JSON.stringify({ got })).slice(0, 120),
    hint: 'check HF_ENDPOINT: what answers there is no hub',
  });
}

function tooLong(owner: string, most: string): never {
  return complain({
    code: 'HUB_LISTING',
    owner,
    expected: `a repository whose listing has at most ${most}`,
    got: 'more',
    hint: 'name a file of it',
  });
}
