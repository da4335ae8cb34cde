/** @file A temporary copy of a file whose server cannot send ranges. */
import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileBytes, type ByteSource } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import type { Reply } from './ask.js';
import { Passing } from './attempts.js';
import type { Remote } from './settings.js';

/**
 * Copies an answer to a file, which goes when the source is closed.
 * @throws REMOTE_RANGES where it is larger than `remote.spool`; Passing where it breaks off.
 */
export async function spool(
  path: string,
  etag: string | undefined,
  reply: Reply,
  remote: Remote,
): Promise<ByteSource> {
  const length = reply.headers.get('content-length');
  const promised = length === null ? undefined : Number(length);
  if (promised !== undefined && promised > remote.spool) return tooLarge(path, promised, remote);
  const copy = join(tmpdir(), `latstream-${randomUUID()}`);
  try {
    const file = await open(copy, 'wx', 0o600);
    let written = 0;
    try {
      for await (const chunk of reply.chunks) {
        written += chunk.length;
        if (written > remote.spool) return tooLarge(path, written, remote);
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    if (promised !== undefined && written !== promised)
      throw new Passing(`an answer that ends at byte ${written} of ${promised}`);
    const source = await openFileBytes(copy);
    return {
      path,
      size: source.size,
      ...(etag !== undefined && { etag }),
      read: (start, length) => source.read(start, length),
      close: () => source.close().finally(() => rm(copy, { force: true })),
    };
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}

function tooLarge(path: string, bytes: number, remote: Remote): never {
  return complain({
    code: 'REMOTE_RANGES',
    owner: path,
    expected: `a server that sends ranges of bytes, or a file of at most ${remote.spool} bytes`,
    got: `none, and at least ${bytes} bytes`,
    hint: 'download the file and name its path',
  });
}
