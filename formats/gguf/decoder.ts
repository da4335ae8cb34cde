/** @file What decodes one block of elements. No imports. */

/**
 * Decodes the block at `byte`; for plain floats everything from there on.
 * @param to where in `into` its elements go. @param half the values of halves by their bits.
 */
export type Decoder = (
  bytes: Uint8Array,
  byte: number,
  into: Float32Array,
  to: number,
  half: Float32Array,
) => void;

/** 16 bits, little endian. */
export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}
