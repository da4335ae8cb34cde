/** @file Laws of trigger searches: what they may change, that the seed decides, that nothing worse is kept. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { behind, type PackedBatch } from '../../../datasets/index.js';
import {
  searchTrigger,
  type TokenLosses,
  type Trigger,
  type TriggerConfig,
} from '../../../operators/index.js';
import { plainTokens } from '../../../operators/suffix/suffix.js';
import { chat, exampleOf, lossOf, model, suffixesIn } from './pool.helpers.js';

const configs: fc.Arbitrary<TriggerConfig> = fc.record({
  tokens: fc.integer({ min: 1, max: 4 }),
  iterations: fc.integer({ min: 1, max: 4 }),
  candidates: fc.integer({ min: 1, max: 5 }),
  top: fc.integer({ min: 1, max: 30 }),
  restarts: fc.integer({ min: 1, max: 3 }),
  requests: fc.integer({ min: 1, max: 4 }),
});
const RUNS = { numRuns: 25 };
const requestsOf = (count: number) =>
  Array.from({ length: count }, (_, at) => exampleOf(`request ${'x'.repeat(at)}`));
const searched = (config: TriggerConfig, seed = 3, by: TokenLosses = model): Promise<Trigger> =>
  searchTrigger(requestsOf(config.requests), config, { model: by, chat, context: 200, seed });

/** Rows as the model saw them, without what stands at slots. */
function around({ rows, length, tokens, slots }: PackedBatch): string[] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from(tokens.subarray(row * length, (row + 1) * length), (token, at) =>
      (slots[row * length + at] as number) < 0 ? token : '_',
    ).join(' '),
  );
}

describe('a trigger search', () => {
  it('changes only the tokens of the suffix, the same ones behind every request, which people can type', async () => {
    const allowed = new Set(plainTokens(chat.tokenizer));
    await fc.assert(
      fc.asyncProperty(configs, async (config) => {
        const seen = new Set<string>();
        const groups: number[][][] = [];
        const watched: TokenLosses = {
          rowLosses: (batch) => {
            around(batch).forEach((row) => seen.add(row));
            groups.push(suffixesIn(batch));
            return model.rowLosses(batch);
          },
          tokenSlopes: (batch) => {
            expect(new Set(suffixesIn(batch).map(String)).size).toBe(1);
            expect(batch.rows).toBe(config.requests);
            return slopesOf(batch);
          },
        };
        const { tokens, text } = await searched(config, 3, watched);
        expect(seen.size).toBe(config.requests);
        expect(tokens).toHaveLength(config.tokens);
        expect(tokens.filter((token) => !allowed.has(token))).toEqual([]);
        expect(chat.tokenizer.encode(text)).toEqual(tokens);
        const written = chat.promptTokens([{ role: 'user', content: behind('request', text) }]);
        expect(written.join()).toContain(tokens.join());
        for (const suffix of groups.flat()) expect(suffix).toHaveLength(config.tokens);
      }),
      RUNS,
    );
  });

  it('finds the same for the same seed', async () => {
    await fc.assert(
      fc.asyncProperty(configs, fc.integer({ min: 0, max: 99 }), async (config, seed) => {
        expect(await searched(config, seed, several)).toEqual(await searched(config, seed, several));
      }),
      RUNS,
    );
  });

  it('keeps nothing worse than what it began with, nor than what fewer restarts or iterations found', async () => {
    await fc.assert(
      fc.asyncProperty(configs, async (config) => {
        const found = await searched(config, 3, several);
        expect(found.loss).toBeLessThanOrEqual(found.firstLoss);
        expect(found.loss).toBeCloseTo(lossOf(found.tokens), 4);
        const shorter = { ...config, restarts: 1, iterations: Math.ceil(config.iterations / 2) };
        expect(found.loss).toBeLessThanOrEqual((await searched(shorter, 3, several)).loss);
      }),
      RUNS,
    );
  });

  it('minimizes the mean over the requests, not the loss of any one', async () => {
    // One request likes even tokens, the others odd ones, a little less.
    const torn: TokenLosses = {
      rowLosses: (batch) =>
        Promise.resolve(
          Float32Array.from(suffixesIn(batch), (suffix, row) => {
            const odd = suffix.filter((token) => token % 2 === 1).length;
            return row % 3 === 0 ? 3 * odd : 2 * (suffix.length - odd);
          }),
        ),
      tokenSlopes: ({ rows, slotCount }) =>
        Promise.resolve(new Float32Array(rows * slotCount * chat.tokenizer.size)),
    };
    const config = { tokens: 3, iterations: 30, candidates: 8, top: 999, restarts: 1, requests: 3 };
    const { tokens, loss } = await searched(config, 0, torn);
    expect(tokens.map((token) => token % 2)).toEqual([1, 1, 1]);
    expect(loss).toBeCloseTo(3, 5);
  });

  it('refuses rows without a request to answer', async () => {
    const { prompt, desired } = exampleOf('request');
    const config = { tokens: 2, iterations: 1, candidates: 2, top: 4, restarts: 1, requests: 1 };
    const search = searchTrigger([{ prompt, desired }], config, { model, chat, context: 200, seed: 0 });
    await expect(search).rejects.toMatchObject({ code: 'TRIGGER_NO_REQUESTS' });
  });
});

/** The model's slopes, in every row. */
async function slopesOf(batch: PackedBatch): Promise<Float32Array> {
  const one = await model.tokenSlopes(batch);
  const all = new Float32Array(batch.rows * one.length);
  for (let row = 0; row < batch.rows; row++) all.set(one, row * one.length);
  return all;
}

const several: TokenLosses = { rowLosses: (batch) => model.rowLosses(batch), tokenSlopes: slopesOf };
