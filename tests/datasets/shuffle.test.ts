/** @file Laws of reading in order and of shuffling. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowsFrom, shuffledRows } from '../../datasets/index.js';
import { CountingSource, take } from './helpers.js';

const counts = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 })
  .filter((rows) => rows.some((count) => count > 0));
const options = fc.record({
  seed: fc.nat(1000),
  purpose: fc.constantFrom('pairs', 'benign'),
  window: fc.integer({ min: 0, max: 30 }),
});

describe('rowsFrom', () => {
  it('concatenates any split of the rows to the whole', async () => {
    await fc.assert(
      fc.asyncProperty(counts, fc.nat(), async (groups, cut) => {
        const source = new CountingSource(groups);
        const at = cut % (source.rows + 1);
        const head = await take(rowsFrom(source, ['value']), at);
        const tail = await take(rowsFrom(source, ['value'], at), Infinity);
        expect([...head, ...tail].map(({ index }) => index)).toEqual([...Array(source.rows).keys()]);
        expect(tail.every(({ index, row }) => row['value'] === index)).toBe(true);
      }),
    );
  });

  it('reads nothing before the group that holds the first row', async () => {
    const source = new CountingSource([10, 10, 10]);
    await take(rowsFrom(source, ['value'], 25), Infinity);
    expect(source.reads).toEqual([2]);
  });
});

describe('shuffledRows', () => {
  it('gives each row once per epoch', async () => {
    await fc.assert(
      fc.asyncProperty(counts, options, async (groups, chosen) => {
        const source = new CountingSource(groups);
        const given = await take(shuffledRows(source, ['value'], chosen), 3 * source.rows);
        for (let epoch = 0; epoch < 3; epoch++) {
          const rows = given.slice(epoch * source.rows, (epoch + 1) * source.rows);
          expect(rows.map(({ index }) => index).sort((a, b) => a - b)).toEqual([
            ...Array(source.rows).keys(),
          ]);
        }
      }),
    );
  });

  it('continues from any progress with the same tail', async () => {
    await fc.assert(
      fc.asyncProperty(counts, options, fc.nat(60), async (groups, chosen, stop) => {
        const source = new CountingSource(groups);
        const whole = await take(shuffledRows(source, ['value'], chosen), stop + 1 + 20);
        const from = whole[stop]!.next;
        const tail = await take(shuffledRows(source, ['value'], { ...chosen, from }), 20);
        expect(tail).toEqual(whole.slice(stop + 1));
      }),
    );
  });

  it('holds at most its window and two groups, however many rows there are', async () => {
    await fc.assert(
      fc.asyncProperty(counts, options, async (groups, chosen) => {
        const many = Array.from({ length: 20 }, () => groups).flat();
        const source = new CountingSource(many);
        let given = 0;
        let most = 0;
        for await (const _row of shuffledRows(source, ['value'], chosen)) {
          most = Math.max(most, source.rowsRead - given);
          if (++given === source.rows) break;
        }
        expect(most).toBeLessThanOrEqual(Math.min(chosen.window, source.rows) + 2 * Math.max(...groups));
      }),
    );
  });

  it('reads again no more than the groups of the window in which it stopped', async () => {
    const source = new CountingSource(Array<number>(100).fill(10));
    const chosen = { seed: 7, purpose: 'pairs', window: 40 };
    await take(shuffledRows(source, ['value'], { ...chosen, from: { epoch: 3, position: 639 } }), 1);
    expect(source.reads.length).toBeLessThanOrEqual(5); // the window's four groups and one read ahead
  });

  it('differs between seeds, purposes, epochs, and from the order of the file; a window of 0 keeps that order', async () => {
    const source = new CountingSource([50, 50]);
    const order = async (seed: number, purpose: string, epoch: number, window = 40): Promise<string> => {
      const rows = shuffledRows(source, ['value'], { seed, purpose, window, from: { epoch, position: 0 } });
      return (await take(rows, 100)).map(({ index }) => index).join();
    };
    const file = [...Array(100).keys()].join();
    const orders = [
      await order(1, 'a', 0),
      await order(2, 'a', 0),
      await order(1, 'b', 0),
      await order(1, 'a', 1),
    ];
    expect(new Set([...orders, file]).size).toBe(5);
    expect(await order(1, 'a', 0)).toBe(orders[0]);
    expect(await order(1, 'a', 0, 0)).toBe(file);
  });
});
