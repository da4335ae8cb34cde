/** @file Eigenvectors of symmetric matrices: what they are, for every matrix. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricEigen } from '../../foundation/index.js';

const matrix = fc.integer({ min: 1, max: 7 }).chain((n) =>
  fc.array(fc.integer({ min: -5, max: 5 }), { minLength: n * n, maxLength: n * n }).map((entries) => ({
    n,
    entries: entries.map((_, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      return entries[Math.min(row, column) * n + Math.max(row, column)]!;
    }),
  })),
);

describe('symmetricEigen', () => {
  it('gives orthonormal vectors that the matrix stretches by their values, largest first', () =>
    fc.assert(
      fc.property(matrix, ({ n, entries }) => {
        const { values, vectors } = symmetricEigen(entries, n);
        const vector = (k: number) => [...vectors.subarray(k * n, (k + 1) * n)];
        const dot = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
        expect([...values]).toEqual([...values].sort((a, b) => b - a));
        for (let k = 0; k < n; k++) {
          for (let other = 0; other < n; other++)
            expect(dot(vector(k), vector(other))).toBeCloseTo(k === other ? 1 : 0, 9);
          for (let row = 0; row < n; row++)
            expect(dot(entries.slice(row * n, (row + 1) * n), vector(k))).toBeCloseTo(
              values[k]! * vector(k)[row]!,
              8,
            );
        }
      }),
    ));
});
