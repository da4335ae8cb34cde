/** @file Visibility, entry by entry, against its definition. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int32, type Tensor } from '../../../engine/index.js';
import { visibility } from '../../../engine/models/mask.js';
import { evaluate } from './tiny.js';

const ids = (columns: number) =>
  fc.record({
    positions: fc.array(fc.nat(5), { minLength: 2 * columns, maxLength: 2 * columns }),
    segments: fc.array(fc.nat(3), { minLength: 2 * columns, maxLength: 2 * columns }),
  });

describe('visibility', () => {
  it('a query sees exactly the keys at its or earlier positions, of the prompt or of its own segment, within the window', async () => {
    const window = fc.option(fc.integer({ min: 1, max: 4 }));
    await fc.assert(
      fc.asyncProperty(ids(3), ids(4), window, async (queries, keys, reach) => {
        const places = ({ positions, segments }: typeof queries, columns: number) => ({
          positions: int32([2, columns], positions),
          segments: int32([2, columns], segments),
        });
        const { mask } = await evaluate(
          { queries: places(queries, 3), keys: places(keys, 4) },
          (args: Record<'queries' | 'keys', Record<'positions' | 'segments', Tensor>>) => ({
            mask: visibility(args.queries, args.keys, reach),
          }),
        );
        expect(mask.shape).toEqual([2, 1, 3, 4]);
        for (const row of [0, 1])
          for (const q of [0, 1, 2])
            for (const k of [0, 1, 2, 3]) {
              const [asks, holds] = [row * 3 + q, row * 4 + k];
              const back = queries.positions[asks]! - keys.positions[holds]!;
              const segment = keys.segments[holds];
              const seen =
                back >= 0 &&
                (reach === null || back < reach) &&
                segment !== 0 &&
                (segment === 1 || segment === queries.segments[asks]);
              expect(mask.data[asks * 4 + k] === (seen ? 0 : -1e9)).toBe(true);
            }
      }),
      { numRuns: 50 },
    );
  });
});
