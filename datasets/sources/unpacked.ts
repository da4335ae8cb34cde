/** @file Opens files that may be compressed: packed ones by their unpacked copy. Knows no format of rows. */
import { openFileBytes, type ByteSource } from '../../formats/index.js';
import { openBytes } from '../../remote/index.js';
import { openHandle } from './handles.js';
import { codecOf, refuseArchive, TELLING_BYTES, type Unpack } from './packed/codecs.js';
import { unpackedCopy, type UnpackLimits } from './packed/copy.js';

/**
 * As `openHandle`; where a file's first bytes say gzip or zstd, its content. That cannot be read from the middle, and so
 * is unpacked to a file in the user's cache when it is opened first.
 * @param limits instead of the usual ones.
 * @throws DATASET_COMPRESSED (damaged, or another compression), DATASET_UNPACKED (too large), DATASET_SPACE.
 */
export async function openUnpacked(path: string, limits?: Partial<UnpackLimits>): Promise<ByteSource> {
  const packed = await openHandle(path);
  const codec = await codecIn(packed);
  if (!codec) return packed;
  await packed.close();
  return openHandle(path, async () => {
    const source = await openBytes(path);
    try {
      const copy = await openFileBytes(await unpackedCopy(source, codec, limits));
      return { ...copy, path, ...(source.etag !== undefined && { etag: source.etag }) };
    } finally {
      await source.close();
    }
  });
}

/** The file is closed where its first bytes are of something that is not read. */
async function codecIn(bytes: ByteSource): Promise<Unpack | undefined> {
  try {
    const start = await bytes.read(0, Math.min(TELLING_BYTES, bytes.size));
    refuseArchive(start, bytes.path);
    return codecOf(start);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}
