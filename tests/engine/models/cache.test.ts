/** @file The cache holds what was appended, in place, however it grew. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float32 } from '../../../engine/index.js';
import { Cache } from '../../../engine/models/cache.js';
import { tinyConfig } from './tiny.js';

const config = tinyConfig({ num_hidden_layers: 1, num_key_value_heads: 2, head_dim: 2 });
const ROWS = 2;

describe('Cache', () => {
  it('every column holds what was appended there, and the rest is padding', () => {
    const appends = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(appends, fc.integer({ min: 1, max: 1000 }), (sizes, limit) => {
        const cache = new Cache(config, ROWS, limit);
        let used = 0;
        for (const columns of sizes) {
          const shape = [ROWS, 2, columns, 2];
          // The number of an element tells row, head and column.
          const value = (row: number, head: number, column: number, sign: number) =>
            sign * (1 + used + column + 10_000 * (row + 2 * head));
          const filled = (sign: number) =>
            float32(
              shape,
              Array.from({ length: ROWS * 2 * columns * 2 }, (_, index) => {
                const at = Math.floor(index / 2);
                return value(Math.floor(at / columns / 2), Math.floor(at / columns) % 2, at % columns, sign);
              }),
            );
          const ids = Int32Array.from({ length: ROWS * columns }, (_, index) => used + (index % columns));
          cache.append(
            { keys: { 0: filled(1) }, values: { 0: filled(-1) } },
            ids,
            ids.map(() => 1),
          );
          used += columns;
        }
        const { keys, values, positions, segments } = cache.tensors();
        const capacity = positions.shape[1]!;
        expect(capacity % 64).toBe(0);
        expect(capacity).toBeGreaterThanOrEqual(used);
        for (let row = 0; row < ROWS; row++)
          for (let column = 0; column < capacity; column++) {
            const there = column < used;
            expect(segments.data[row * capacity + column]).toBe(there ? 1 : 0);
            expect(positions.data[row * capacity + column]).toBe(there ? column : 0);
            for (const head of [0, 1]) {
              const at = ((row * 2 + head) * capacity + column) * 2;
              const expected = there ? 1 + column + 10_000 * (row + 2 * head) : 0;
              expect(keys[0]!.data[at]).toBe(expected);
              expect(values[0]!.data[at + 1] === -expected).toBe(true);
            }
          }
      }),
      { numRuns: 15 },
    );
  });

  it('is allocated once for a short generation, and doubles for a long one', () => {
    const capacityAfter = (limit: number, columns: number) => {
      const cache = new Cache(config, 1, limit);
      const ids = new Int32Array(columns);
      const empty = { 0: float32([1, 2, columns, 2]) };
      cache.append({ keys: empty, values: empty }, ids, ids);
      return cache.tensors().positions.shape[1];
    };
    expect(capacityAfter(100, 16)).toBe(128);
    expect(capacityAfter(2000, 16)).toBe(256);
    expect(capacityAfter(2000, 300)).toBe(320);
  });
});
