/** @file Damage to bytes as fast-check arbitraries: bits, lying integers, cuts, repeats, splices, text that is none. */
import fc from 'fast-check';
import type { Mutation } from './target.js';

/** Integers that readers multiply, add to an offset or allocate by. */
const LIES = [
  ...[0n, 1n, 2n, 7n, 127n, 128n, 255n, 256n, 32767n, 32768n, 65535n, 65536n],
  ...[2n ** 24n, 2n ** 28n, 2n ** 30n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n],
  ...[2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 10n ** 15n],
];
const lie = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LIES) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
);

/** Places are drawn as fractions, so that one draw fits files of every length; ends and beginnings are likelier. */
const place = fc.oneof(
  { weight: 4, arbitrary: fc.nat(2 ** 20).map((at) => at / 2 ** 20) }, // `fc.double` is uniform in its bits: mostly near 0
  { weight: 1, arbitrary: fc.nat(64).map((at) => at / 4096) },
  { weight: 2, arbitrary: fc.nat(1024).map((at) => 1 - at / 4096) },
);
const at = (bytes: Uint8Array, fraction: number): number => Math.floor(fraction * bytes.length);
const range = fc.tuple(place, fc.oneof(fc.nat(16), fc.nat(4096)));

const changed = (bytes: Uint8Array, change: (copy: Buffer) => void): Uint8Array => {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) change(copy);
  return copy;
};
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);

const flip = fc.tuple(place, fc.nat(7)).map<Mutation>(
  ([where, bit]) =>
    (bytes) =>
      changed(bytes, (copy) => {
        const byte = Math.min(at(copy, where), copy.length - 1);
        copy[byte] = (copy[byte] as number) ^ (1 << bit);
      }),
);
const integer = fc
  .tuple(place, lie, fc.constantFrom(1, 2, 4, 8), fc.boolean(), fc.boolean())
  .map<Mutation>(([where, value, width, aligned, little]) => (bytes) => {
    if (bytes.length < width) return bytes;
    return changed(bytes, (copy) => {
      const free = Math.min(at(copy, where), copy.length - width);
      const start = aligned ? free - (free % width) : free;
      for (let byte = 0; byte < width; byte++)
        copy[start + (little ? byte : width - 1 - byte)] = Number((value >> BigInt(8 * byte)) & 255n);
    });
  });
/** An integer of seven bits a byte, as Thrift, Snappy and protocol buffers have them, in place of the one there. */
const varint = fc.tuple(place, lie).map<Mutation>(([where, value]) => (bytes) => {
  const start = at(bytes, where);
  let end = start;
  while (end < bytes.length && ((bytes[end] as number) & 128) !== 0) end++;
  const digits: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    digits.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    if (rest <= 127n) break;
  }
  return joined(bytes.subarray(0, start), Uint8Array.from(digits), bytes.subarray(end + 1));
});
const truncate = place.map<Mutation>((where) => (bytes) => bytes.subarray(0, at(bytes, where)));
const remove = range.map<Mutation>(([where, length]) => (bytes) => {
  const start = at(bytes, where);
  return joined(bytes.subarray(0, start), bytes.subarray(start + length));
});
const repeat = fc
  .tuple(range, fc.constantFrom(1, 2, 16, 300))
  .map<Mutation>(([[where, length], times]) => (bytes) => {
    const start = at(bytes, where);
    const piece = bytes.subarray(start, start + length);
    return joined(
      bytes.subarray(0, start),
      ...Array.from({ length: times }, () => piece),
      bytes.subarray(start),
    );
  });
const splice = fc
  .tuple(range, place, fc.boolean())
  .map<Mutation>(([[where, length], to, insert]) => (bytes, other) => {
    const piece = other.subarray(at(other, where), at(other, where) + length);
    const start = at(bytes, to);
    return joined(bytes.subarray(0, start), piece, bytes.subarray(insert ? start : start + piece.length));
  });
/** Bytes that are no UTF-8: a lone lead, a surrogate, an overlong slash, beyond the last code point; and a byte order mark. */
const strange = fc.constantFrom(
  [0xc3, 0x28],
  [0xed, 0xa0, 0x80],
  [0xc0, 0xaf],
  [0xf5, 0x80, 0x80, 0x80],
  [0xef, 0xbb, 0xbf],
  [0],
);
const filler = fc.oneof(
  strange.map((bytes) => Uint8Array.from(bytes)),
  fc
    .tuple(fc.constantFrom(0, 255, 128), fc.constantFrom(1, 8, 64, 4096))
    .map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc.uint8Array({ maxLength: 24 }),
);
const insert = fc.tuple(place, filler).map<Mutation>(([where, piece]) => (bytes) => {
  const start = at(bytes, where);
  return joined(bytes.subarray(0, start), piece, bytes.subarray(start));
});

/** Damage to any bytes. */
export const byteMutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: flip },
  { weight: 6, arbitrary: integer },
  { weight: 4, arbitrary: varint },
  { weight: 1, arbitrary: truncate },
  { weight: 1, arbitrary: remove },
  { weight: 1, arbitrary: repeat },
  { weight: 2, arbitrary: splice },
  { weight: 2, arbitrary: insert },
);

/** Words of a language put anywhere, often many times over: nests, bombs, keywords in the wrong place. */
export function wordMutation(words: readonly string[]): fc.Arbitrary<Mutation> {
  return fc
    .tuple(
      place,
      fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(1, 1, 1, 3, 100, 20_000),
    )
    .map(([where, chosen, times]) => (bytes) => {
      const start = at(bytes, where);
      const piece = Buffer.from(chosen.join('').repeat(times));
      return joined(bytes.subarray(0, start), piece, bytes.subarray(start));
    });
}
