/** @file Blocks of GGUF's element types as float32, bit for bit what ggml computes. The larger blocks are in k-blocks.ts. */
import { halves } from '../half.js';
import { word, type Decoder } from './decoder.js';
import { q2k, q3k, q4k, q5k, q6k } from './k-blocks.js';
import { LAYOUTS, type GgufType } from './types.js';

/**
 * Decodes whole blocks.
 * @param bytes blocks of the type, one after the other. @param into where their elements go, from index `at` on.
 */
export function dequantize(type: GgufType, bytes: Uint8Array, into: Float32Array, at: number): void {
  const { elements, bytes: width } = LAYOUTS[type];
  const decode = DECODERS[type];
  if (type === 'F32' || type === 'F16' || type === 'BF16') {
    decode(bytes, 0, into, at, halves());
    return;
  }
  const half = halves();
  for (let byte = 0, to = at; byte < bytes.length; byte += width, to += elements)
    decode(bytes, byte, into, to, half);
}

const q4_0: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte)] as number;
  for (let i = 0; i < 16; i++) {
    const pair = bytes[byte + 2 + i] as number;
    into[to + i] = scale * ((pair & 15) - 8);
    into[to + 16 + i] = scale * ((pair >> 4) - 8);
  }
};

const q4_1: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte)] as number;
  const least = half[word(bytes, byte + 2)] as number;
  for (let i = 0; i < 16; i++) {
    const pair = bytes[byte + 4 + i] as number;
    into[to + i] = scale * (pair & 15) + least;
    into[to + 16 + i] = scale * (pair >> 4) + least;
  }
};

const q5_0: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte)] as number;
  const high = word(bytes, byte + 2) | (word(bytes, byte + 4) << 16);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[byte + 6 + i] as number;
    into[to + i] = scale * (((pair & 15) | (((high >>> i) & 1) << 4)) - 16);
    into[to + 16 + i] = scale * (((pair >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
  }
};

const q5_1: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte)] as number;
  const least = half[word(bytes, byte + 2)] as number;
  const high = word(bytes, byte + 4) | (word(bytes, byte + 6) << 16);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[byte + 8 + i] as number;
    into[to + i] = scale * ((pair & 15) | (((high >>> i) & 1) << 4)) + least;
    into[to + 16 + i] = scale * ((pair >> 4) | (((high >>> (i + 16)) & 1) << 4)) + least;
  }
};

const q8_0: Decoder = (bytes, byte, into, to, half) => {
  const scale = half[word(bytes, byte)] as number;
  for (let i = 0; i < 32; i++) into[to + i] = scale * (((bytes[byte + 2 + i] as number) << 24) >> 24);
};

const f32: Decoder = (bytes, _byte, into, to) => {
  new Uint8Array(into.buffer, into.byteOffset + 4 * to, bytes.length).set(bytes);
};

const f16: Decoder = (bytes, _byte, into, to, half) => {
  for (let i = 0; 2 * i < bytes.length; i++) into[to + i] = half[word(bytes, 2 * i)] as number;
};

const bf16: Decoder = (bytes, _byte, into, to) => {
  const words = new Uint32Array(into.buffer, into.byteOffset + 4 * to, bytes.length / 2);
  for (let i = 0; i < words.length; i++) words[i] = word(bytes, 2 * i) << 16;
};

const DECODERS: Readonly<Record<GgufType, Decoder>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: q4k,
  Q5_K: q5k,
  Q6_K: q6k,
};
