/** @file Opens GGUF files: their header at once, their tensors by range. Knows nothing about models. */
import { complain } from '../../foundation/index.js';
import { openFileBytes, type ByteSource } from '../bytes.js';
import { HeaderGoesOn } from './cursor.js';
import { dequantize } from './dequantize.js';
import { parseGgufHeader, type GgufHeader, type GgufTensor } from './header.js';
import { LAYOUTS } from './types.js';

/** A GGUF file whose header is checked. Close it after use. */
export interface Gguf extends GgufHeader {
  /** All elements of a tensor, row-major, as float32. @throws BYTES_CUT where the file shrank meanwhile. */
  read(tensor: GgufTensor): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Bytes of the file that are read for the header first, and more times so many with each further try. */
const FIRST = 2 ** 22;
const FURTHER = 4;

/** Blocks are decoded from pieces of about so many bytes. */
const PIECE = 2 ** 20;

/**
 * Opens a GGUF file, from a path or from memory; memory and time are bounded whatever is in it.
 * @throws GGUF_MISSING, and what {@link parseGgufHeader} throws.
 */
export async function openGguf(from: string | Uint8Array): Promise<Gguf> {
  const source = typeof from === 'string' ? await opened(from) : inMemory(from);
  try {
    const header = await headerOf(source, `gguf ${source.path}`);
    return { ...header, read: (tensor) => decoded(source, tensor), close: () => source.close() };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function headerOf(source: ByteSource, owner: string): Promise<GgufHeader> {
  for (let length = FIRST; ; length *= FURTHER) {
    const bytes = await source.read(0, Math.min(length, source.size));
    try {
      return parseGgufHeader(bytes, source.size, owner);
    } catch (error) {
      if (!(error instanceof HeaderGoesOn)) throw error;
    }
  }
}

async function decoded(source: ByteSource, tensor: GgufTensor): Promise<Float32Array<ArrayBuffer>> {
  const { type, begin, bytes } = tensor;
  if (type === 'F32') return new Float32Array((await source.read(begin, bytes)).buffer);
  const layout = LAYOUTS[type];
  const values = new Float32Array((bytes / layout.bytes) * layout.elements);
  const piece = Math.floor(PIECE / layout.bytes) * layout.bytes;
  for (let at = 0; at < bytes; at += piece) {
    const part = await source.read(begin + at, Math.min(piece, bytes - at));
    dequantize(type, part, values, (at / layout.bytes) * layout.elements);
  }
  return values;
}

async function opened(path: string): Promise<ByteSource> {
  try {
    return await openFileBytes(path);
  } catch (error) {
    return complain(
      {
        code: 'GGUF_MISSING',
        owner: `gguf ${path}`,
        expected: 'a file that can be read',
        got: (error as NodeJS.ErrnoException).code ?? String(error),
        hint: 'check the path',
      },
      { cause: error },
    );
  }
}

function inMemory(bytes: Uint8Array): ByteSource {
  return {
    path: 'in memory',
    size: bytes.length,
    read: (start, length) => Promise.resolve(new Uint8Array(bytes.subarray(start, start + length))),
    close: () => Promise.resolve(),
  };
}
