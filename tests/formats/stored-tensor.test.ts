/** @file Tensors read in the type that is wanted: the bits that converting makes, and little memory beside them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBits, HALF_TYPES, toBits, type HalfType } from '../../formats/index.js';
import type { Entry } from '../../formats/safetensors-header.js';
import { readTensor } from '../../formats/stored-tensor.js';

const STORED = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;
type Stored = keyof typeof STORED;

/** Stored elements that repeat a few patterns, so that pieces differ. */
function storedData(type: Stored, count: number, seed: number): Float32Array | Uint16Array {
  if (type === 'F32') return Float32Array.from({ length: count }, (_, at) => Math.sin(seed + at));
  return Uint16Array.from({ length: count }, (_, at) => (at * 2_654_435 + seed) & 0x77ff);
}

function asFloat32(type: Stored, data: Float32Array | Uint16Array): Float32Array {
  const half = STORED[type];
  return half === 'float32' ? (data as Float32Array) : fromBits(half, data as Uint16Array);
}

/** Reads it, and says how many bytes at most were asked for at once. */
async function read(
  type: Stored,
  shape: readonly number[],
  data: Float32Array | Uint16Array,
  matrices?: HalfType,
) {
  const bytes = new Uint8Array(data.buffer);
  const entry: Entry = { name: 'w', type, shape, begin: 0, end: bytes.length };
  const asked: Uint8Array[] = [];
  const from = async (at: number, into: Uint8Array): Promise<void> => {
    asked.push(into);
    into.set(bytes.subarray(at, at + into.length));
  };
  return { tensor: await readTensor(entry, from, 'test', matrices), asked };
}

const stored = fc.constantFrom<Stored>('F32', 'F16', 'BF16');
const kept = fc.constantFrom(...HALF_TYPES, undefined);

describe('readTensor', () => {
  it('gives the bits of float32, or of float32 rounded where that is a matrix and asked for', async () => {
    const shapes = fc.constantFrom([0], [5], [0, 3], [4, 3], [2, 2, 2]);
    await fc.assert(
      fc.asyncProperty(stored, kept, shapes, fc.nat(1000), async (type, matrices, shape, seed) => {
        const data = storedData(
          type,
          shape.reduce((product, each) => product * each, 1),
          seed,
        );
        const { tensor } = await read(type, shape, data, matrices);
        const wide = asFloat32(type, data);
        const half = shape.length > 1 ? matrices : undefined;
        expect(tensor).toEqual({
          shape,
          dtype: half ?? 'float32',
          data: half ? toBits(half, wide) : wide,
        });
      }),
    );
  });

  it.each<[Stored, HalfType]>([
    ['F32', 'float16'],
    ['F16', 'bfloat16'],
    ['BF16', 'float16'],
  ])(
    'converts %s to %s in pieces of a few megabytes, with nothing lost between them',
    async (type, matrices) => {
      const shape = [3, 2 ** 20 - 1];
      const data = storedData(type, 3 * (2 ** 20 - 1), 1);
      const { tensor, asked } = await read(type, shape, data, matrices);
      expect(
        Buffer.compare(
          Buffer.from(tensor.data.buffer),
          Buffer.from(toBits(matrices, asFloat32(type, data)).buffer),
        ),
      ).toBe(0);
      expect(asked.length).toBeGreaterThan(2);
      expect(new Set(asked.map(({ buffer }) => buffer)).size).toBe(1);
      expect(asked[0]!.buffer.byteLength).toBeLessThanOrEqual(2 ** 22);
    },
  );

  it('reads what is stored as it is kept into its place at once', async () => {
    const data = storedData('BF16', 6, 1);
    const { tensor, asked } = await read('BF16', [2, 3], data, 'bfloat16');
    expect(asked.map(({ buffer }) => buffer)).toEqual([tensor.data.buffer]);
    expect(asked[0]!.buffer).toBe(tensor.data.buffer);
  });
});
