/** @file Bytes in the shape in which the Arrow library takes files. */
import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from '../../formats/index.js';

/** Read at once: what is copied once more on its way. */
const PIECE_BYTES = 2 ** 23;

/** What of a file's handle is used here and by the library. */
export function asFile(bytes: ByteSource): FileHandle {
  const file = {
    fd: -1, // by which the library knows one
    stat: () => Promise.resolve({ size: bytes.size }),
    async read(into: Uint8Array, offset: number, length: number, position: number) {
      const piece = await bytes.read(
        position,
        Math.max(0, Math.min(length, PIECE_BYTES, bytes.size - position)),
      );
      into.set(piece, offset);
      return { bytesRead: piece.length, buffer: into };
    },
    close: () => bytes.close(),
  };
  return file as unknown as FileHandle;
}
