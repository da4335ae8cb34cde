/** @file Laws of Zstandard: frames one after the other, wherever chunks end; damage and endless work are named. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unpackZstd } from '../../../../datasets/sources/packed/zstd.js';
import { block, COMPRESSED, frame, LINES, stored } from '../../../helpers/zstd.js';
import { DAMAGED, unpacked } from './helpers.js';

const skipped = (content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from('5e2a4d18', 'hex'), Buffer.of(content.length, 0, 0, 0), content]);
const content = Buffer.from(LINES);

describe('unpackZstd', () => {
  it('gives the content of all frames, in chunks of any length, without the frames to skip', async () => {
    const part = fc.oneof(
      fc
        .uint8Array({ maxLength: 60 })
        .map((bytes) => ({ bytes: stored(bytes, 7), text: Buffer.from(bytes) })),
      fc.uint8Array({ maxLength: 9 }).map((bytes) => ({ bytes: skipped(bytes), text: Buffer.alloc(0) })),
      fc.constantFrom(...COMPRESSED).map((bytes) => ({ bytes, text: content })),
      fc.integer({ min: 0, max: 2 ** 17 }).map((length) => {
        const text = Buffer.alloc(length, 'x');
        return { bytes: frame([block(1, Buffer.from('x'), true, length)], text), text };
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 400 }),
        async (parts, chunk) => {
          const found = await unpacked(unpackZstd, Buffer.concat(parts.map(({ bytes }) => bytes)), chunk);
          expect(found.toString()).toBe(Buffer.concat(parts.map(({ text }) => text)).toString());
        },
      ),
    );
  });

  it.each(COMPRESSED.map((bytes, at) => [at, bytes] as const))(
    'refuses frame %i cut off anywhere, or with another byte that matters',
    async (_, bytes) => {
      for (let length = 1; length < bytes.length; length++)
        expect(await unpacked(unpackZstd, bytes.subarray(0, length), 50)).toMatch(DAMAGED);
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
          const other = Buffer.from(bytes);
          other[at] = (other[at] as number) ^ change;
          const patient = { first: 300, megabyte: 500 };
          const found = await unpacked((chunks) => unpackZstd(chunks, patient), other);
          if (typeof found === 'string') expect(found).toMatch(DAMAGED);
          else expect(found).toEqual(content);
        }),
      );
    },
  );

  it('refuses what it cannot read: another size than said, a dictionary, a huge window, a block of no kind', async () => {
    const head = (hex: string): Buffer => Buffer.from(`28b52ffd${hex}`, 'hex');
    const last = block(0, Buffer.from('ab'), true);
    expect(await unpacked(unpackZstd, Buffer.concat([head('2002'), last]))).toEqual(Buffer.from('ab'));
    for (const [start, rest, what] of [
      [head('2003'), last, /2 bytes that should have 3/],
      [head('210102'), last, /dictionary/],
      [head('0080'), last, /window of 67108864 bytes/],
      [head('e0ffffffffffffffff'), last, /window/],
      [head('2802'), last, /no known kind/],
      [head('2002'), block(3, Buffer.from('ab'), true), /no known kind/],
      [head('2002'), block(0, Buffer.from('abc'), true), /no known kind/],
    ] as const)
      expect(await unpacked(unpackZstd, Buffer.concat([start, rest]))).toMatch(what);
  });

  it('ends blocks of a few bytes that ask for work without end', async () => {
    // 98,047 sequences of the longest match, 65,539 bytes each.
    const endless = frame([block(2, Buffer.from('00ffffff5400003401', 'hex'), true)]);
    const found = await unpacked((chunks) => unpackZstd(chunks, { first: 50, megabyte: 0 }), endless);
    expect(found).toBe('damaged: blocks that take too long');
  });
});
