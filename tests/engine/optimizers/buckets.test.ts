import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  bucketsFor,
  createEngine,
  float32,
  onnxruntimeExecutor,
  ops,
  type HostTensor,
  type Named,
} from '../../../engine/index.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const filled = (shape: number[], from: number): HostTensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => from + at),
  );
const named = (shapes: readonly (readonly number[])[]): Record<string, HostTensor> =>
  Object.fromEntries(shapes.map((shape, at) => [`t${at}`, filled([...shape], 100 * at)]));

let programs = 0;

async function there(tensors: Record<string, HostTensor>) {
  let vectors = 0;
  const result = await engine.run(
    {
      name: `there and back ${programs++}`,
      compute: (args: Named) => {
        const buckets = bucketsFor(args);
        const joined = buckets.join(args);
        vectors = Object.keys(joined).length;
        const doubled = Object.fromEntries(Object.entries(joined).map(([key, x]) => [key, ops.mul(x, 2)]));
        return buckets.part(doubled);
      },
    },
    tensors,
  );
  return { vectors, result: result as Record<string, HostTensor> };
}

describe('bucketsFor', () => {
  test('what is done to joined tensors is done to each, whatever their shapes', async () => {
    const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 6 }), async (shapes) => {
        const tensors = named(shapes);
        const { vectors, result } = await there(tensors);
        expect(vectors).toBe(1);
        for (const [name, { data, shape: own }] of Object.entries(tensors)) {
          expect(result[name]!.shape).toEqual(own);
          expect([...result[name]!.data]).toEqual([...data].map((value) => 2 * value));
        }
      }),
      { numRuns: 20 },
    );
  });

  test('large tensors stay by themselves, and vectors are bounded', async () => {
    const { vectors, result } = await there(
      named([[3], [256, 256], [2, 2], ...Array.from({ length: 145 }, () => [60_000])]),
    );
    expect(vectors).toBe(3); // one large, 139 · 60,000 elements in the first vector, the others in a second
    expect(result['t1']!.data[5]).toBe(210);
    expect(result['t22']!.data[59_999]).toBe(2 * (2200 + 59_999));
  });
});
