/** @file Unpacks gzip (RFC 1952) of any number of members; zlib checks their checksums and lengths. Reads no file. */
import { Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Damaged } from './damaged.js';

/** @throws Damaged */
export async function* unpackGzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const given = { bytes: 0, filled: 0 };
  const gunzip = createGunzip();
  // Errors come out of the last stream, too.
  pipeline(Readable.from(counted(chunks, given)), gunzip, () => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new Damaged(message, { cause: error });
    throw error;
  }
  // A zero behind a member ends it for zlib: padding, if nothing else follows.
  if (gunzip.bytesWritten < given.filled)
    throw new Damaged(`something else behind byte ${gunzip.bytesWritten}`);
}

/** Notes how many bytes there are, and how many up to the last one that is no zero. */
async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  given: { bytes: number; filled: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const last = chunk.findLastIndex((byte) => byte !== 0);
    if (last >= 0) given.filled = given.bytes + last + 1;
    given.bytes += chunk.length;
    yield chunk;
  }
}
