/** @file Laws of gzip: members one after the other, wherever chunks end; nothing is lost without a word. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { unpackGzip } from '../../../../datasets/sources/packed/gzip.js';
import { DAMAGED, unpacked } from './helpers.js';

const members = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 4 });
const packed = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts.map((part) => gzipSync(part)));

describe('unpackGzip', () => {
  it('gives the content of all members, in chunks of any length, with zeros behind them or not', async () => {
    await fc.assert(
      fc.asyncProperty(members, fc.integer({ min: 1, max: 90 }), fc.nat(40), async (parts, chunk, zeros) => {
        const bytes = Buffer.concat([packed(parts), Buffer.alloc(zeros)]);
        expect(await unpacked(unpackGzip, bytes, chunk)).toEqual(Buffer.concat(parts));
      }),
    );
  });

  it('refuses what is cut off anywhere but between members', async () => {
    const parts = [Buffer.from('one'), Buffer.from('the second member')];
    const bytes = packed(parts);
    const between = packed(parts.slice(0, 1)).length;
    for (let length = 1; length < bytes.length; length++)
      for (const chunk of [7, 1000]) {
        const found = await unpacked(unpackGzip, bytes.subarray(0, length), chunk);
        if (length === between) expect(found).toEqual(parts[0]);
        else expect(found).toMatch(DAMAGED);
      }
  });

  it('refuses another byte, but where it changes nothing of the content', async () => {
    const content = Buffer.from('some text, some more text');
    const bytes = packed([content]);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const other = Buffer.from(bytes);
        other[at] = (other[at] as number) ^ change;
        const found = await unpacked(unpackGzip, other);
        if (typeof found === 'string') expect(found).toMatch(DAMAGED);
        else expect(found).toEqual(content);
      }),
    );
  });

  it('refuses what follows the members: zlib itself passes over all behind a zero', async () => {
    const one = packed([Buffer.from('one')]);
    for (const rest of ['x', '\0x', '\x1f']
      .map((text) => Buffer.from(text))
      .concat(Buffer.concat([Buffer.of(0), one])))
      for (const chunk of [1, one.length, one.length + 1, 1000])
        expect(await unpacked(unpackGzip, Buffer.concat([one, rest]), chunk)).toMatch(DAMAGED);
  });
});
