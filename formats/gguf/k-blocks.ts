/**
 * @file Blocks of 256 elements whose parts have scales of their own ("K quants"), as float32. Reads no file.
 *
 * All products and sums of a block are exact in the double precision that JavaScript computes in, so that storing them
 * rounds once, as ggml's float32 arithmetic does.
 */
import { word, type Decoder } from './decoder.js';

const signed = (byte: number): number => (byte << 24) >> 24;

/** Scale and minimum of 16 elements in one byte; four elements in a byte, 32 apart. */
export const q2k: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte + 80)] as number;
  const least = half[word(bytes, byte + 82)] as number;
  for (let i = 0; i < 256; i++) {
    const part = bytes[byte + (i >> 4)] as number;
    const packed = bytes[byte + 16 + ((i >> 7) << 5) + (i & 31)] as number;
    const value = (packed >> (((i >> 5) & 3) << 1)) & 3;
    into[to + i] = scale * (part & 15) * value - least * (part >> 4);
  }
};

/** As {@link q2k} with a third bit in a mask of its own, and signed scales of 6 bits. */
export const q3k: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte + 108)] as number;
  for (let i = 0; i < 256; i++) {
    const part = i >> 4;
    const low = ((bytes[byte + 96 + (part & 7)] as number) >> (part < 8 ? 0 : 4)) & 15;
    const high = ((bytes[byte + 104 + (part & 3)] as number) >> ((part >> 2) << 1)) & 3;
    const packed = bytes[byte + 32 + ((i >> 7) << 5) + (i & 31)] as number;
    const mask = bytes[byte + (i & 31)] as number;
    // The mask's bit says that 4 is not taken away.
    const value = ((packed >> (((i >> 5) & 3) << 1)) & 3) - ((mask >> (i >> 5)) & 1 ? 0 : 4);
    into[to + i] = scale * ((low | (high << 4)) - 32) * value;
  }
};

export const q4k: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte)] as number;
  const least = half[word(bytes, byte + 2)] as number;
  for (let part = 0; part < 8; part++) {
    const step = scale * partScale(bytes, byte + 4, part);
    const offset = least * partLeast(bytes, byte + 4, part);
    const from = byte + 16 + (part >> 1) * 32;
    const shift = (part & 1) << 2;
    for (let i = 0; i < 32; i++)
      into[to + part * 32 + i] = step * (((bytes[from + i] as number) >> shift) & 15) - offset;
  }
};

export const q5k: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte)] as number;
  const least = half[word(bytes, byte + 2)] as number;
  for (let part = 0; part < 8; part++) {
    const step = scale * partScale(bytes, byte + 4, part);
    const offset = least * partLeast(bytes, byte + 4, part);
    const from = byte + 48 + (part >> 1) * 32;
    const shift = (part & 1) << 2;
    for (let i = 0; i < 32; i++) {
      const high = ((bytes[byte + 16 + i] as number) >> part) & 1;
      into[to + part * 32 + i] =
        step * ((((bytes[from + i] as number) >> shift) & 15) | (high << 4)) - offset;
    }
  }
};

export const q6k: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte + 208)] as number;
  for (let i = 0; i < 256; i++) {
    const quarter = (i >> 5) & 3;
    const low = bytes[byte + ((i >> 7) << 6) + ((quarter & 1) << 5) + (i & 31)] as number;
    const high = bytes[byte + 128 + ((i >> 7) << 5) + (i & 31)] as number;
    const value = ((low >> ((quarter >> 1) << 2)) & 15) | (((high >> (quarter << 1)) & 3) << 4);
    into[to + i] = scale * signed(bytes[byte + 192 + (i >> 4)] as number) * (value - 32);
  }
};

/** The scale of 6 bits of one of eight parts: twelve bytes hold eight of them and eight minima. */
function partScale(bytes: Uint8Array, at: number, part: number): number {
  if (part < 4) return (bytes[at + part] as number) & 63;
  return ((bytes[at + part + 4] as number) & 15) | (((bytes[at + part - 4] as number) >> 2) & 48);
}

function partLeast(bytes: Uint8Array, at: number, part: number): number {
  if (part < 4) return (bytes[at + part + 4] as number) & 63;
  return ((bytes[at + part + 4] as number) >> 4) | (((bytes[at + part] as number) >> 2) & 48);
}
