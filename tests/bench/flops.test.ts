/** @file Operations counted in a program are those of its products, however these are transposed and batched. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flopsOf } from '../../bench/flops.js';
import { ops, type Tensor } from '../../engine/index.js';
import { float32 } from '../../engine/tensor.js';
import { trace } from '../../engine/trace.js';

const extent = fc.integer({ min: 1, max: 6 });

function counted(
  a: readonly number[],
  b: readonly number[],
  transposeA: boolean,
  transposeB: boolean,
): number {
  return flopsOf(
    trace({
      name: 'product',
      args: { a: float32([...a]), b: float32([...b]) },
      compute: (args) => {
        const given = args as Readonly<Record<'a' | 'b', Tensor>>;
        return { product: ops.add(ops.matMul(given.a, given.b, transposeA, transposeB), 1) };
      },
    }),
  );
}

describe('flopsOf', () => {
  it('is twice the terms of every product, transposed or not', () => {
    fc.assert(
      fc.property(
        extent,
        extent,
        extent,
        extent,
        fc.boolean(),
        fc.boolean(),
        (batch, m, k, n, left, right) => {
          const a = [batch, ...(left ? [k, m] : [m, k])];
          const b = [batch, ...(right ? [n, k] : [k, n])];
          expect(counted(a, b, left, right)).toBe(2 * batch * m * k * n);
        },
      ),
      { numRuns: 40 },
    );
  });
});
