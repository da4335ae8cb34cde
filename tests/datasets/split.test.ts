/** @file Laws of splitting a batch into microbatches. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, splitBatch } from '../../datasets/index.js';
import { labelContexts, pairExamples } from './helpers.js';

const split = fc
  .record({
    examples: pairExamples(9),
    padding: fc.constantFrom('left' as const, 'right' as const),
    attacked: fc.constantFrom('prompt' as const, 'prompt+completions' as const),
    seed: fc.nat(),
  })
  .map(({ examples, seed, ...options }) => {
    const batch = pack(examples, options);
    return { batch, parts: splitBatch(batch, 1 + (seed % batch.rows)) };
  });

describe('splitBatch', () => {
  it('concatenates to the whole batch', () => {
    fc.assert(
      fc.property(split, ({ batch, parts }) => {
        for (const key of ['tokens', 'positions', 'segments', 'slots'] as const)
          expect(parts.flatMap((part) => [...part[key]])).toEqual([...batch[key]]);
        let next = 0;
        for (const part of parts) {
          expect(part.firstRow).toBe(next);
          next += part.rows;
        }
        expect(next).toBe(batch.rows);
      }),
    );
  });

  it('keeps every label, once, with its context and its weight in the whole batch', () => {
    fc.assert(
      fc.property(split, ({ batch, parts }) => {
        const all = parts.flatMap((part) =>
          labelContexts(part).map((label) => JSON.stringify({ ...label, row: label.row + part.firstRow })),
        );
        expect(all.sort()).toEqual(
          labelContexts(batch)
            .map((label) => JSON.stringify(label))
            .sort(),
        );
      }),
    );
  });

  it('gives all parts the same shapes but for one row more in the first ones', () => {
    fc.assert(
      fc.property(split, ({ batch, parts }) => {
        const shapes = parts.map((part) => [
          part.length,
          part.slotCount,
          ...Object.values(part.labels).map((labels) => labels.index.length),
        ]);
        for (const shape of shapes) expect(shape).toEqual(shapes[0]);
        const rows = parts.map((part) => part.rows);
        expect(rows).toEqual([...rows].sort((a, b) => b - a));
        expect(Math.max(...rows) - Math.min(...rows)).toBe(batch.rows % parts.length === 0 ? 0 : 1);
      }),
    );
  });

  it('refuses more parts than rows', () => {
    const batch = pack([{ prompt: [1], desired: [2] }]);
    expect(() => splitBatch(batch, 2)).toThrow('between 1 and 1');
    expect(() => splitBatch(batch, 0)).toThrow('got 0');
  });
});
