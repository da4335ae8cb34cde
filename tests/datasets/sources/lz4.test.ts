/** @file Laws of LZ4 frames: whatever sequences and blocks a writer chose, the content comes back; damage is an error. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompressLz4Frame } from '../../../datasets/sources/lz4.js';

interface Sequence {
  readonly literals: readonly number[];
  /** How far back a match begins, as a share of what there is, and its length. */
  readonly back: number;
  readonly match: number;
}

const nibbles = (length: number): number[] => {
  if (length < 15) return [];
  const rest = length - 15;
  return [...Array.from({ length: Math.floor(rest / 255) }, () => 255), rest % 255];
};

/** A block of these sequences; `content` is what was written before it, and grows. */
function block(sequences: readonly Sequence[], last: readonly number[], content: number[]): number[] {
  const bytes = sequences.flatMap(({ literals, back, match }) => {
    content.push(...literals);
    const offset = Math.max(1, Math.min(65535, Math.floor(back * content.length)));
    for (let at = 0; at < match; at++) content.push(content[content.length - offset]!);
    const [few, more] = [Math.min(15, literals.length), Math.min(15, match - 4)];
    return [
      few * 16 + more,
      ...nibbles(literals.length),
      ...literals,
      offset & 255,
      offset >> 8,
      ...nibbles(match - 4),
    ];
  });
  content.push(...last);
  return [...bytes, Math.min(15, last.length) * 16, ...nibbles(last.length), ...last];
}

const word = (value: number): number[] => [
  value & 255,
  (value >> 8) & 255,
  (value >> 16) & 255,
  value >>> 24,
];
const byte = fc.nat(255);
const sequence = fc.record({
  literals: fc.array(byte, { minLength: 1, maxLength: 300 }),
  back: fc.double({ min: 0, max: 1, noNaN: true }),
  match: fc.integer({ min: 4, max: 600 }),
});
const blocks = fc.array(
  fc.record({
    sequences: fc.array(sequence, { maxLength: 6 }),
    last: fc.array(byte, { maxLength: 40 }),
    stored: fc.boolean(),
  }),
  { maxLength: 5 },
);

function frame(
  parts: readonly { sequences: readonly Sequence[]; last: readonly number[]; stored: boolean }[],
  sized: boolean,
): { bytes: Uint8Array; content: number[] } {
  const content: number[] = [];
  const body = parts.flatMap(({ sequences, last, stored }) => {
    if (stored && last.length > 0) {
      content.push(...last);
      return [...word(last.length | 0x80000000), ...last];
    }
    const data = block(sequences, last, content);
    return [...word(data.length), ...data];
  });
  const size = sized ? [...word(content.length), 0, 0, 0, 0] : [];
  return {
    bytes: Uint8Array.from([
      4,
      0x22,
      0x4d,
      0x18,
      0x40 + (sized ? 8 : 0),
      0x40,
      ...size,
      0,
      ...body,
      0,
      0,
      0,
      0,
    ]),
    content,
  };
}

describe('decompressLz4Frame', () => {
  it('gives back the content, whatever its blocks and matches, those across blocks too', () => {
    fc.assert(
      fc.property(blocks, fc.boolean(), (parts, sized) => {
        const { bytes, content } = frame(parts, sized);
        expect([...decompressLz4Frame(bytes, content.length)]).toEqual(content);
      }),
    );
  });

  it('throws where the frame was cut anywhere, or its content has another size', () => {
    fc.assert(
      fc.property(blocks, fc.double({ min: 0, max: 0.999, noNaN: true }), (parts, share) => {
        const { bytes, content } = frame(parts, true);
        expect(() =>
          decompressLz4Frame(bytes.subarray(0, Math.floor(share * bytes.length)), content.length),
        ).toThrow();
        expect(() => decompressLz4Frame(bytes, content.length + 1)).toThrow();
        if (content.length > 0) expect(() => decompressLz4Frame(bytes, content.length - 1)).toThrow();
      }),
    );
  });
});
