/** @file XXH64 gives what its specification and other programs give, whatever the pieces. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XxHash } from '../../../../datasets/sources/packed/xxhash.js';

const hashOf = (...parts: readonly Uint8Array[]): string => {
  const hash = new XxHash();
  for (const part of parts) hash.take(part);
  return hash.digest().toString(16).padStart(16, '0');
};

describe('XxHash', () => {
  it.each([
    ['', 'ef46db3751d8e999'],
    ['a', 'd24ec4f1a98c6e5b'],
    ['abc', '44bc2cf5ad770999'],
    ['Nobody inspects the spammish repetition', 'fbcea83c8a378bf1'],
  ])('of %j is %s', (text, wanted) => {
    expect(hashOf(Buffer.from(text))).toBe(wanted);
  });

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }), (parts) => {
        expect(hashOf(...parts)).toBe(hashOf(Buffer.concat(parts)));
      }),
    );
  });
});
