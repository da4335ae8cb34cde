/** @file Opens bytes by their reference: a path, or an address elsewhere. Knows no file format. */
import { openFileBytes, type ByteSource } from '../formats/index.js';

/** Opens what a reference names; close it. */
export function openBytes(reference: string): Promise<ByteSource> {
  return openFileBytes(reference);
}
