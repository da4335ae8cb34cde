/** @file How the Arrow library decompresses buffers, within bounds. Reads no files. */
import { CompressionType, compressionRegistry } from 'apache-arrow';
import { decompressZstd } from 'hyparquet-compressors';
import { decompressLz4Frame } from './lz4.js';

/** Decompressed at a time, in bytes: a small file must not fill the memory. */
const MOST_BYTES = 2 ** 30;
/** The most that a byte of Zstandard may stand for, and what is too little to count. */
const DENSEST = 2 ** 15;
const SMALL_BYTES = 2 ** 20;
/** Before a compressed buffer, its size once it is decompressed. */
const PREFIX = 8;

let left = 0;

/** Lets `decode`, which must not wait for anything, decompress at most a gigabyte. */
export function withinBounds<T>(decode: () => T): T {
  left = MOST_BYTES;
  return decode();
}

type Decompress = (input: Uint8Array, size: number) => Uint8Array;

function codec(decompress: Decompress): { decode: (data: Uint8Array) => Uint8Array } {
  return {
    decode(data) {
      const prefix = new DataView(data.buffer, data.byteOffset - PREFIX, PREFIX);
      const size = Number(prefix.getBigInt64(0, true));
      const most = Math.min(left, SMALL_BYTES + DENSEST * data.length);
      if (!(size >= 0 && size <= most)) throw new Error('more data than is read at once, compressed');
      left -= size;
      const output = decompress(data, size);
      if (output.length === size) return output;
      throw new Error(`${output.length} bytes where there should be ${size}`);
    },
  };
}

const zstd: Decompress = (input, size) => decompressZstd(input, new Uint8Array(size));

compressionRegistry.set(CompressionType.LZ4_FRAME, codec(decompressLz4Frame));
compressionRegistry.set(CompressionType.ZSTD, codec(zstd));
