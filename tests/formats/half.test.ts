/** @file 16-bit floats: exact to float32, nearest and ties to even on the way back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from '../../formats/half.js';

const everyPattern = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

describe.each([
  ['half', fromHalf, toHalf],
  ['bfloat16', fromBfloat16, toBfloat16],
] as const)('%s', (_, from, to) => {
  it('every pattern survives float32, and NaN stays NaN', () => {
    const values = from(everyPattern);
    const back = to(values);
    values.forEach((value, bits) => {
      if (Number.isNaN(value)) expect(from(Uint16Array.of(back[bits]!))[0]).toBeNaN();
      else if (back[bits] !== bits) expect(back[bits]).toBe(bits);
    });
  });

  it('half way between two patterns takes the even one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7bfe }), fc.boolean(), (low, negative) => {
        const bits = negative ? low | 0x8000 : low;
        const [a, b] = from(Uint16Array.of(bits, bits + 1)) as never as [number, number];
        expect(to(Float32Array.of(a / 2 + b / 2))[0]).toBe(bits % 2 === 0 ? bits : bits + 1);
      }),
    );
  });

  it('rounds to the nearest pattern', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const bits = to(Float32Array.of(value))[0]!;
        const [chosen, below, above] = from(Uint16Array.of(bits, bits - 1, bits + 1)) as never as number[];
        fc.pre(Number.isFinite(chosen) && (bits & 0x7fff) !== 0);
        const error = Math.abs(chosen! - value);
        for (const other of [below!, above!]) {
          if (!Number.isFinite(other)) continue;
          expect(error).toBeLessThanOrEqual(Math.abs(other - value));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('knows one and minus two', () => {
    expect([...from(to(Float32Array.of(1, -2, 0)))]).toEqual([1, -2, 0]);
    expect(to(Float32Array.of(1))[0]).toBe(from === fromHalf ? 0x3c00 : 0x3f80);
  });
});
