/** @file LZ4 frames, as Arrow compresses its buffers with (lz4_Frame_format.md and lz4_Block_format.md). No imports. */

const MAGIC = 0x184d2204;

/**
 * The content of a frame. Checksums are passed over; dictionaries are not known.
 * @param size of the content, in bytes.
 * @throws Error where the frame is damaged, or its content has another size.
 */
export function decompressLz4Frame(input: Uint8Array, size: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(size);
  if (input.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Error('no LZ4 frame');
  const flags = view.getUint8(4);
  const [version, blockChecksum, sized, dictionary] = [flags >> 6, flags & 16, flags & 8, flags & 1];
  if (version !== 1 || dictionary) throw new Error('an LZ4 frame of another kind');
  let at = 7 + (sized ? 8 : 0);
  let written = 0;
  for (;;) {
    if (at + 4 > input.length) throw new Error('an LZ4 frame that is cut off');
    const word = view.getUint32(at, true);
    const length = word & 0x7fffffff;
    at += 4;
    if (word === 0) break;
    if (at + length > input.length) throw new Error('an LZ4 frame that is cut off');
    const block = input.subarray(at, at + length);
    if (word >>> 31) {
      if (written + length > size) throw new Error('an LZ4 frame of too much content');
      output.set(block, written);
      written += length;
    } else written = decompressBlock(block, output, written);
    at += length + (blockChecksum ? 4 : 0);
  }
  if (written !== size) throw new Error(`${written} bytes where there should be ${size}`);
  return output;
}

/** Writes a block behind what is written already, which it may refer to. @returns the new end. */
function decompressBlock(block: Uint8Array, output: Uint8Array, start: number): number {
  let [at, end] = [0, start];
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) byte = byteAt(block, at++);
    return length;
  };
  while (at < block.length) {
    const token = byteAt(block, at++);
    const literals = lengthOf(token >> 4);
    if (at + literals > block.length || end + literals > output.length)
      throw new Error('an LZ4 block that is damaged');
    output.set(block.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at >= block.length) return end; // The last sequence has no match.
    const offset = byteAt(block, at) | (byteAt(block, at + 1) << 8);
    at += 2;
    const match = lengthOf(token & 15) + 4;
    if (offset === 0 || offset > end || end + match > output.length)
      throw new Error('an LZ4 block that is damaged');
    // Byte by byte: a match may run into what it writes.
    for (let left = match; left > 0; left--, end++) output[end] = output[end - offset] as number;
  }
  return end;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error('an LZ4 block that is cut off');
  return byte;
}
