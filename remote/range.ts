/** @file The bytes of an address from one place to another, through broken connections. Holds none of them. */
import { complain } from '../foundation/index.js';
import { ask, type Reply } from './ask.js';
import { Attempts, Passing } from './attempts.js';
import type { Remote } from './settings.js';

/** What is asked for, and what is known of the whole. */
export interface RangeRequest {
  readonly owner: string;
  readonly address: string;
  /** In bytes; `end` is the first that is not wanted. */
  readonly start: number;
  readonly end: number;
  /** Of the whole file. */
  readonly size: number;
  /** Of the content that the other ranges were read from; without it somebody else checks the content. */
  readonly mark?: Mark | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Tells one content from another. */
export interface Mark {
  readonly etag: string | undefined;
  readonly modified: string | undefined;
}

/** As much in one go makes a broken connection an honest one. */
const PROGRESS_BYTES = 2 ** 20;

/**
 * Bytes `start` to `end` in pieces, each once, in order: after a break it goes on where it was. A server that always
 * sends the whole is read from its start, where there is no mark to hold its content to.
 * @throws REMOTE_CHANGED, REMOTE_LENGTH, REMOTE_UNREACHABLE, and what {@link ask} throws.
 */
export async function* readRange(request: RangeRequest, remote: Remote): AsyncGenerator<Uint8Array> {
  const attempts = new Attempts(request.owner, remote, request.signal);
  for (let at = request.start; at < request.end;) {
    const before = at;
    try {
      for await (const piece of answered({ ...request, start: at }, remote)) {
        at += piece.length;
        yield piece;
      }
      if (at < request.end) throw new Passing(`an answer that ends at byte ${at} of ${request.size}`);
    } catch (error) {
      if (at - before >= PROGRESS_BYTES) attempts.progress();
      await attempts.failed(error);
    }
  }
}

async function* answered(request: RangeRequest, remote: Remote): AsyncGenerator<Uint8Array> {
  const { owner, address, start, end, mark, signal } = request;
  const condition = mark?.etag !== undefined && !mark.etag.startsWith('W/') ? mark.etag : mark?.modified;
  const reply = await ask(
    address,
    {
      owner,
      signal,
      understood: [412, 416],
      headers: { range: `bytes=${start}-${end - 1}`, ...(condition && { 'if-range': condition }) },
    },
    remote,
  );
  try {
    let skip = checkedStart(reply, request);
    let left = end - start;
    for await (const chunk of reply.chunks) {
      const piece = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - piece.length;
      const whole = reply.status === 200;
      if (piece.length > left && !whole) wrongLength(owner, `${end - start} bytes`, 'more');
      if (piece.length > 0) yield piece.subarray(0, left);
      left -= piece.length;
      if (left <= 0 && whole) return;
    }
  } finally {
    reply.drop();
  }
}

/** How many bytes of the answer lie before the wanted ones. */
function checkedStart(reply: Reply, { owner, start, end, size, mark }: RangeRequest): number {
  const { status, headers } = reply;
  if (mark && (status !== 206 || differs(mark, markOf(headers)))) changed(owner, status);
  if (status === 200) return start;
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  if (status !== 206 || !range)
    return wrongLength(owner, `bytes ${start}-${end - 1} of ${size}`, `status ${status}`);
  const [from, to, total] = range.slice(1).map(Number) as [number, number, number];
  if (from !== start || to > end - 1 || (range[3] !== '*' && total !== size))
    return wrongLength(owner, `bytes ${start}-${end - 1} of ${size}`, range[0]);
  return 0;
}

/** The mark of an answer. */
export function markOf(headers: Headers): Mark {
  return { etag: headers.get('etag') ?? undefined, modified: headers.get('last-modified') ?? undefined };
}

function differs(one: Mark, other: Mark): boolean {
  if (one.etag !== undefined && other.etag !== undefined) return one.etag !== other.etag;
  return one.modified !== undefined && other.modified !== undefined && one.modified !== other.modified;
}

function changed(owner: string, status: number): never {
  return complain({
    code: 'REMOTE_CHANGED',
    owner,
    expected: 'the file that was opened',
    got: `another one in its place (status ${status})`,
    hint: 'begin again; name a commit or a file that does not change',
  });
}

function wrongLength(owner: string, expected: string, got: string): never {
  return complain({
    code: 'REMOTE_LENGTH',
    owner,
    expected,
    got,
    hint: 'the server, or one on the way, sends other bytes than asked for: download the file and name its path',
  });
}
