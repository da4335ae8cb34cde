/** @file Bytes that are read by range, wherever they are: what readers of files ask for. Knows no file format. */
import { complain } from '../foundation/index.js';
import { openFile } from './file.js';

/** Bytes of known length that can be read anywhere. Safe to read from several places at once. */
export interface ByteSource {
  /** Path or address, for messages. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** A mark of the content, where whoever holds it gives one: another mark, another content. */
  readonly etag?: string;
  /**
   * Exactly `length` bytes from `start` on, in memory of their own.
   * @throws BYTES_CUT where the source ends before.
   */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** One call of the operating system reads less than 2 GiB. */
const READ_BYTES = 2 ** 30;

/** A file of this machine. @throws as {@link openFile} */
export async function openFileBytes(path: string): Promise<ByteSource> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    return {
      path,
      size,
      async read(start, length) {
        if (!(start >= 0 && length >= 0 && start + length <= size)) return cut(path, start + length, size);
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length;) {
          const { bytesRead } = await file.read(bytes, at, Math.min(READ_BYTES, length - at), start + at);
          if (bytesRead === 0) return cut(path, start + length, start + at);
          at += bytesRead;
        }
        return bytes;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function cut(path: string, expected: number, got: number): never {
  return complain({
    code: 'BYTES_CUT',
    owner: path,
    expected: `at least ${expected} bytes`,
    got: `${got}`,
    hint: 'the file is cut off or was changed while it was read: write or download it again',
  });
}
