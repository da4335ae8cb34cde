/** @file The bytes of a file behind http or https, read by range. Knows no file format and no hub. */
import type { ByteSource } from '../formats/index.js';
import { complain, LatstreamError } from '../foundation/index.js';
import { ask, type Reply } from './ask.js';
import { Attempts, insisting } from './attempts.js';
import { Blocks } from './blocks.js';
import { markOf, readRange } from './range.js';
import type { Remote } from './settings.js';
import { spool } from './spool.js';

/**
 * Opens a file by one request, which brings its first block. What was read stays for a while, neighbours are read
 * ahead, and a file that changes is an error. Where the server sends no ranges, a temporary copy is read.
 * @param path as the user named it.
 * @throws REMOTE_RANGES, REMOTE_LENGTH, REMOTE_UNREACHABLE, and what {@link ask} throws.
 */
export async function openHttpBytes(path: string, address: string, remote: Remote): Promise<ByteSource> {
  const attempts = new Attempts(path, remote);
  return insisting(attempts, async () => {
    const range = `bytes=0-${remote.blocks.size - 1}`;
    const reply = await ask(address, { owner: path, headers: { range }, understood: [416] }, remote);
    try {
      if (reply.status === 200) return await spool(path, etagOf(reply), reply, remote);
      return await ranged(path, address, reply, remote);
    } finally {
      reply.drop();
    }
  });
}

async function ranged(path: string, address: string, reply: Reply, remote: Remote): Promise<ByteSource> {
  const size = sizeOf(reply, path);
  const mark = markOf(reply.headers);
  const stop = new AbortController();
  // Behind a redirect lies the file itself: it is asked directly until it refuses, as signed addresses do in the end.
  let direct: string | undefined = reply.url;
  const fetched = async (start: number, end: number): Promise<Uint8Array> => {
    const from = (source: string): Promise<Uint8Array> =>
      gathered({ owner: path, address: source, start, end, size, mark, signal: stop.signal }, remote);
    try {
      return await from(direct ?? address);
    } catch (error) {
      if (direct === undefined || direct === address || !isRefusal(error)) throw error;
      direct = undefined;
      return from(address);
    }
  };
  const blocks = new Blocks(size, remote, fetched);
  blocks.keep(0, await firstBlock(reply, size, remote));
  const etag = etagOf(reply);
  return {
    path,
    size,
    ...(etag !== undefined && { etag }),
    async read(start, length) {
      if (start + length > size) return behindTheEnd(path, start + length, size);
      return blocks.read(start, length);
    },
    close: () => {
      stop.abort(new Error(`${path} is closed`));
      blocks.close();
      return Promise.resolve();
    },
  };
}

async function gathered(request: Parameters<typeof readRange>[0], remote: Remote): Promise<Uint8Array> {
  const bytes = new Uint8Array(request.end - request.start);
  let at = 0;
  for await (const piece of readRange(request, remote)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** What came with the size; a break here is not worth another try. */
async function firstBlock(reply: Reply, size: number, remote: Remote): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(Math.min(size, remote.blocks.size));
  let at = 0;
  try {
    for await (const chunk of reply.chunks) {
      if (at + chunk.length > bytes.length) return undefined;
      bytes.set(chunk, at);
      at += chunk.length;
    }
  } catch {
    return undefined;
  }
  return at === bytes.length ? bytes : undefined;
}

function sizeOf({ headers, status }: Reply, owner: string): number {
  const range = headers.get('content-range') ?? '';
  const size = Number(/^bytes (?:0-\d+|\*)\/(\d+)$/.exec(range)?.[1] ?? Number.NaN);
  if (Number.isSafeInteger(size) && (status === 206 || size === 0)) return size;
  return complain({
    code: 'REMOTE_LENGTH',
    owner,
    expected: 'the size of the file (content-range)',
    got: range || `status ${status} without one`,
    hint: 'download the file and name its path',
  });
}

/** The hub's own mark of the content before that of where it keeps it. */
function etagOf(reply: Reply): string | undefined {
  return (reply.first('x-linked-etag') ?? reply.headers.get('etag') ?? undefined)?.replace(/^W\/|"/g, '');
}

function isRefusal(error: unknown): boolean {
  return error instanceof LatstreamError && /^REMOTE_(UNAUTHORIZED|DENIED|MISSING)$/.test(error.code);
}

function behindTheEnd(path: string, expected: number, got: number): never {
  return complain({
    code: 'BYTES_CUT',
    owner: path,
    expected: `at least ${expected} bytes`,
    got: `${got}`,
    hint: 'the file is cut off: write it again',
  });
}
