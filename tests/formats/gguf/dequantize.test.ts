/** @file Blocks of every element type against what the format's own library makes of them, bit for bit. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dequantize } from '../../../formats/gguf/dequantize.js';
import { LAYOUTS, type GgufType } from '../../../formats/gguf/types.js';

/** Random blocks and their float32 values, in hexadecimal: see tests/python/gguf_blocks.py. */
const known = JSON.parse(
  readFileSync(process.env['LATSTREAM_GGUF_BLOCKS'] ?? 'tests/fixtures/gguf/blocks.json', 'utf8'),
) as Record<GgufType, { readonly blocks: string; readonly values: string }>;

/** Bit patterns; those of NaNs, whose payload no arithmetic promises, as one. */
function bits(values: Float32Array): Uint32Array {
  const words = new Uint32Array(values.buffer);
  return words.map((word, index) => (Number.isNaN(values[index]) ? 0x7fc00000 : word));
}

function floats(hex: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(hex, 'hex')).buffer);
}

describe('dequantize', () => {
  it.each(Object.keys(LAYOUTS) as GgufType[])('gives the values of %s bit for bit', (type) => {
    const { blocks, values } = known[type];
    const expected = floats(values);
    const into = new Float32Array(expected.length + 5);
    dequantize(type, new Uint8Array(Buffer.from(blocks, 'hex')), into, 3);
    expect(
      Buffer.compare(Buffer.from(bits(into.slice(3, -2)).buffer), Buffer.from(bits(expected).buffer)),
    ).toBe(0);
    expect([...into.slice(0, 3), ...into.slice(-2)]).toEqual([0, 0, 0, 0, 0]);
  });
});
