/** @file Zstandard frames: stored ones made here, and two that the zstd tool compressed. */
import { XxHash } from '../../datasets/sources/packed/xxhash.js';

const MAGIC = Buffer.from('28b52ffd', 'hex');

/** A block; of type 0 (stored), 1 (one byte, `length` times) or 2 (compressed). */
export function block(type: number, content: Uint8Array, last: boolean, length = content.length): Buffer {
  const head = (length << 3) | (type << 1) | (last ? 1 : 0);
  return Buffer.concat([Buffer.of(head, head >> 8, head >> 16), content]);
}

/** A frame of given blocks, with a window of 128 KiB, and with a checksum where the content is given. */
export function frame(blocks: readonly Uint8Array[], content?: Uint8Array): Buffer {
  const hash = new XxHash();
  if (content) hash.take(content);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(Number(hash.digest() & 0xffffffffn));
  return Buffer.concat([
    MAGIC,
    Buffer.of(content ? 4 : 0, 7 << 3),
    ...blocks,
    ...(content ? [checksum] : []),
  ]);
}

/** A frame that stores its content, with a checksum. */
export function stored(content: Uint8Array, blockBytes = 2 ** 16): Buffer {
  const count = Math.max(1, Math.ceil(content.length / blockBytes));
  const blocks = Array.from({ length: count }, (_, at) =>
    block(0, content.subarray(at * blockBytes, (at + 1) * blockBytes), at === count - 1),
  );
  return frame(blocks, content);
}

const VERBS = ['fold', 'bake', 'fold', 'paint', 'sort', 'bake', 'paint', 'fold', 'sort', 'bake'];

/** What {@link COMPRESSED} holds. */
export const ROWS = [...VERBS, ...VERBS, ...VERBS].map((verb, at) => ({
  prompt: `How do you ${verb}?`,
  completion: `By ${verb} it, number ${at}.`,
}));

export const LINES = ROWS.map((row) => `${JSON.stringify(row)}\n`).join('');

/** {@link LINES} with their size known (`zstd -19`), and from a pipe (`zstd -3`); both with checksums. */
export const COMPRESSED = [
  'KLUv/WT6Bu0FALIGFxlgdw4j1G5d2ebX/ACgRFktjyPpODIdIQERwLaC8v///zMzMzOzkiCHUdC2iCrhM8+PeiBgW2Fw9EHxki6o0GXNLisb1lfN2NEGy0hVT+7qzLXksHZ22Tpj07laKKjh1GFbP2sH4CaagGgPEZSENcIOEhhBEv5VPyAAJoCDZCBoeFVwZdBqAyvKqgJVDql+QcVgwTBldea84gVvBcKpf0TAxrmFNS7EITcYgBz3hRJewwwy6tk40y4Aq3p8ZO8=',
  'KLUv/QRYfQYAAocYHGCLc+PAlftWdvU42BUIytvsHoKQDvzKJAWBSlfII5Xl////t23b9mIoEAaCfRrt0yiwbTXuVozGQR6pAPAph0kNk104IZLJpmsV5JgqMsnDA+kCJZ1QH2xoIplcx/S5dAQsIBDDCaT2ABWAHkCZQAWgB1AmUAHoASiDV6ECrkQPWg1lwApUZFXogSpRBqmOiqACPTgVGmHK6GUug30niUcs7W1upTTb3BmysHmE0tgsl9EU+xbDwW9BM62xeWJpbcbGCoAmDdfVvWAZenxk7w==',
].map((text) => Buffer.from(text, 'base64'));
