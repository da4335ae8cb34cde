/** @file What tests of compressed bytes share. */
import { Damaged } from '../../../../datasets/sources/packed/damaged.js';
import type { Unpack } from '../../../../datasets/sources/packed/codecs.js';

/** Unpacks bytes given in chunks of a length. @returns the content, or that they are damaged. */
export async function unpacked(unpack: Unpack, bytes: Uint8Array, chunk = 2 ** 16): Promise<Buffer | string> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  }
  const parts: Uint8Array[] = [];
  try {
    for await (const part of unpack(chunks())) parts.push(part);
  } catch (error) {
    if (error instanceof Damaged) return `damaged: ${error.message}`;
    throw error;
  }
  return Buffer.concat(parts);
}

export const DAMAGED = /^damaged: /;
