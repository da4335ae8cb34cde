/** @file Laws of encoding ahead in chunks: order, bounds, where errors arrive, closing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodedInChunks } from '../../datasets/encoded.js';

const wait = (turns: number): Promise<void> =>
  turns <= 0 ? Promise.resolve() : new Promise((done) => setImmediate(() => void wait(turns - 1).then(done)));

describe('encodedInChunks', () => {
  it('gives each item before an error with its own result, in order, however long each chunk takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(150),
        fc.nat(180),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
        async (count, failAt, ahead, delays) => {
          let closed = 0;
          let chunks = 0;
          async function* source(): AsyncGenerator<number> {
            try {
              for (let item = 0; item < count; item++) {
                if (item === failAt) throw new Error(`item ${item}`);
                yield item;
              }
            } finally {
              closed++;
            }
          }
          const encode = async (items: readonly number[]): Promise<string[]> => {
            await wait(delays[chunks++ % delays.length]!);
            return items.map((item) => `<${item}>`);
          };
          const given: string[] = [];
          const all = (async () => {
            for await (const { item, result } of encodedInChunks(source(), encode, ahead)) {
              expect(item).toBe(given.length);
              given.push(result);
            }
          })();
          if (failAt < count) await expect(all).rejects.toThrow(`item ${failAt}`);
          else await all;
          expect(given).toEqual(Array.from({ length: Math.min(count, failAt) }, (_, at) => `<${at}>`));
          expect(closed).toBe(1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reads a bounded number of items ahead, has at most `ahead` chunks and one in work, and closes when left', async () => {
    let read = 0;
    let closed = 0;
    let working = 0;
    let most = 0;
    async function* endless(): AsyncGenerator<number> {
      try {
        for (;;) yield read++;
      } finally {
        closed++;
      }
    }
    const encode = async (items: readonly number[]): Promise<readonly number[]> => {
      most = Math.max(most, ++working);
      await wait(2);
      working--;
      return items;
    };
    for await (const { item } of encodedInChunks(endless(), encode, 2)) {
      expect(read).toBeLessThanOrEqual(item + 3 * 32 + 32);
      if (item === 500) break;
    }
    expect(most).toBe(3);
    expect([closed, working]).toEqual([1, 0]);
  });

  it('reports a chunk that cannot be encoded once, and closes its source', async () => {
    let closed = 0;
    async function* source(): AsyncGenerator<number> {
      try {
        for (let item = 0; item < 100; item++) yield item;
      } finally {
        closed++;
      }
    }
    const encode = async (items: readonly number[]): Promise<readonly number[]> => {
      if (items.includes(40)) throw new Error('broken');
      return items;
    };
    const given: number[] = [];
    await expect(
      (async () => {
        for await (const { item } of encodedInChunks(source(), encode)) given.push(item);
      })(),
    ).rejects.toThrow('broken');
    expect(given).toHaveLength(32);
    expect(closed).toBe(1);
  });
});
