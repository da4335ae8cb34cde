/** @file Laws of pools: what a search may change, when cases begin anew, and that a run can be interrupted. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../../../datasets/index.js';
import type { Pool, PoolConfig, PoolState } from '../../../operators/index.js';
import { plainTokens } from '../../../operators/suffix/suffix.js';
import { batchOf, chat, exampleOf, lossOf, poolWith } from './pool.helpers.js';

const configs: fc.Arbitrary<PoolConfig> = fc.record({
  size: fc.integer({ min: 1, max: 9 }),
  tokens: fc.integer({ min: 1, max: 4 }),
  iterations: fc.integer({ min: 1, max: 3 }),
  candidates: fc.integer({ min: 1, max: 5 }),
  top: fc.integer({ min: 1, max: 30 }),
  resetEvery: fc.integer({ min: 1, max: 4 }),
  resetShare: fc.constantFrom(0, 0.2, 0.5, 1),
});
const rowCounts = fc.integer({ min: 1, max: 4 });
const STEPS = 6;
const RUNS = { numRuns: 15 };

/** The tokens of a state's suffix, and of its request without one. */
const numbers = (text: string): number[] => text.split(' ').map(Number);
const suffixes = (state: PoolState): number[][] => state.map(({ suffix }) => numbers(suffix));

/** Steps a pool, and tells what it was before and after each. */
async function stepped(
  config: PoolConfig,
  rows: number,
  told: (step: number, before: PoolState, result: Awaited<ReturnType<Pool['searched']>>) => void,
): Promise<PoolState> {
  const pool = poolWith(config);
  for (let step = 1; step <= STEPS; step++) {
    const before = pool.save();
    told(step, before, await pool.searched(batchOf(step, rows), { step, seed: 3 }));
  }
  return pool.save();
}

describe('a pool', () => {
  it('changes nothing but suffixes, whose tokens people can type and the tokenizer reads as themselves', async () => {
    const allowed = new Set(plainTokens(chat.tokenizer));
    const closing = chat.promptTokens([{ role: 'user', content: '' }]).slice(1);
    await fc.assert(
      fc.asyncProperty(configs, rowCounts, async (config, rows) => {
        await stepped(config, rows, (step, _, { pairs }) => {
          for (const { prompt, adversarial, desired } of unpack(pairs)) {
            const end = prompt.length - closing.length;
            expect(prompt.slice(end)).toEqual(closing);
            expect(prompt.slice(end - config.tokens, end).filter((token) => !allowed.has(token))).toEqual([]);
            const content = chat.tokenizer.decode(prompt.slice(1, end));
            expect(chat.promptTokens([{ role: 'user', content }])).toEqual(prompt);
            const suffix = chat.tokenizer.decode(prompt.slice(end - config.tokens, end));
            const request = content.slice(0, content.length - suffix.length).trimEnd();
            expect(request).toMatch(/^request [1-6]\.[0-3]$/);
            expect(Number(request.slice(8, 9))).toBeLessThanOrEqual(step);
            expect({ adversarial, desired }).toMatchObject({
              adversarial: exampleOf(request).adversarial,
              desired: exampleOf(request).desired,
            });
          }
        });
      }),
      RUNS,
    );
  });

  it('is filled by the requests of batches, and trains on as many cases as a batch has', async () => {
    await fc.assert(
      fc.asyncProperty(configs, rowCounts, async (config, rows) => {
        await stepped({ ...config, resetShare: 0 }, rows, (step, before, { pairs, values }) => {
          expect(values.cases).toBe(Math.min(config.size, step * rows));
          expect(pairs.rows).toBe(Math.min(rows, values.cases));
          if (step === 1) expect(before).toEqual([]);
        });
      }),
      RUNS,
    );
  });

  it('finds no suffix that is worse than the one before, and reports the means of its losses', async () => {
    await fc.assert(
      fc.asyncProperty(configs, rowCounts, async (config, rows) => {
        const pool = poolWith({ ...config, resetShare: 0 });
        for (let step = 1; step <= STEPS; step++) {
          const before = suffixes(pool.save()).map(lossOf);
          const { values, pairs } = await pool.searched(batchOf(step, rows), { step, seed: 3 });
          const after = suffixes(pool.save()).map(lossOf);
          before.forEach((loss, at) => expect(after[at]).toBeLessThanOrEqual(loss + 1e-6));
          expect(values.loss).toBeLessThanOrEqual(values.firstLoss);
          expect(before.filter((loss, at) => loss !== after[at]).length).toBeLessThanOrEqual(pairs.rows);
          if (config.size <= rows)
            expect(values.loss).toBeCloseTo(after.reduce((sum, loss) => sum + loss, 0) / after.length, 4);
        }
      }),
      RUNS,
    );
  });

  it('begins exactly the share that was said anew, at exactly the steps that were said', async () => {
    await fc.assert(
      fc.asyncProperty(configs, rowCounts, async (config, rows) => {
        const states: PoolState[] = [];
        const end = await stepped(config, rows, (step, before, { values }) => {
          states.push(before);
          const due = step % config.resetEvery === 0;
          expect(values.resets).toBe(due ? Math.round(config.resetShare * values.cases) : 0);
        });
        [...states.slice(1), end].forEach((after, at) => {
          const step = at + 1;
          const before = states[at] ?? [];
          const resets = step % config.resetEvery === 0 ? Math.round(config.resetShare * after.length) : 0;
          const begun = after.slice(0, before.length).filter(({ since }) => since === step);
          const entered = after.slice(before.length).filter(({ since }) => since === step);
          expect(entered).toHaveLength(after.length - before.length);
          expect(begun.length).toBeLessThanOrEqual(resets);
          if (before.length === after.length) expect(begun).toHaveLength(resets);
          for (const { suffix } of begun) expect(new Set(numbers(suffix)).size).toBe(1);
          const kept = after.slice(0, before.length).map(({ since }, place) => [since, before[place]?.since]);
          for (const [now, then] of kept) if (now !== step) expect(now).toBe(then);
        });
      }),
      RUNS,
    );
  });

  it('saved after any step, read back and gone on with, is as if never interrupted', async () => {
    await fc.assert(
      fc.asyncProperty(
        configs,
        rowCounts,
        fc.integer({ min: 1, max: STEPS - 1 }),
        async (config, rows, stop) => {
          const [whole, first, second] = [poolWith(config), poolWith(config), poolWith(config)];
          for (let step = 1; step <= STEPS; step++) {
            if (step === stop + 1)
              second.restore(JSON.parse(JSON.stringify(first.save())) as ReturnType<typeof first.save>);
            const resumed = step <= stop ? first : second;
            const key = { step, seed: 3 };
            expect(await resumed.searched(batchOf(step, rows), key)).toEqual(
              await whole.searched(batchOf(step, rows), key),
            );
          }
          expect(second.save()).toEqual(whole.save());
        },
      ),
      RUNS,
    );
  });

  it('draws and searches by the seed', async () => {
    const config = {
      size: 8,
      tokens: 3,
      iterations: 1,
      candidates: 2,
      top: 30,
      resetEvery: 9,
      resetShare: 0,
    };
    const after = async (seed: number): Promise<PoolState> => {
      const pool = poolWith(config);
      for (let step = 1; step <= 4; step++) await pool.searched(batchOf(step, 4), { step, seed });
      return pool.save();
    };
    expect(await after(1)).toEqual(await after(1));
    expect(await after(1)).not.toEqual(await after(2));
  });

  it('counts a gradient and the candidates of each iteration, and where a case stands before', async () => {
    const config = {
      size: 2,
      tokens: 3,
      iterations: 2,
      candidates: 5,
      top: 30,
      resetEvery: 9,
      resetShare: 0,
    };
    const { passes, pairs } = await poolWith(config).searched(batchOf(1, 2), { step: 1, seed: 0 });
    const lengths = unpack(pairs).map(({ prompt, adversarial }) => prompt.length + adversarial!.length - 1);
    expect(new Set(lengths).size).toBe(1); // The end of turn is no part of what is aimed at.
    expect(passes).toEqual({
      forwardPasses: 2 * (1 + 2 * 2),
      backwardPasses: 2 * 2,
      forwardTokens: 2 * (1 + 2 * (1 + 5)) * lengths[0]!,
      backwardTokens: 2 * 2 * lengths[0]!,
    });
  });

  it('leaves out what is no single request or has no room, and complains where nothing is left', async () => {
    const config = { size: 4, tokens: 3, iterations: 1, candidates: 2, top: 9, resetEvery: 9, resetShare: 0 };
    const fine = exampleOf('fine');
    const dialogue = { ...exampleOf('x'), prompt: [...fine.prompt, ...fine.prompt] };
    const long = exampleOf('long '.repeat(40));
    const warnings: string[] = [];
    const { pairs, values } = await poolWith(config, warnings).searched(pack([dialogue, fine, long]), {
      step: 1,
      seed: 0,
    });
    expect([pairs.rows, values.cases, warnings.length]).toEqual([1, 1, 2]);
    await expect(poolWith(config).searched(pack([dialogue]), { step: 1, seed: 0 })).rejects.toMatchObject({
      code: 'POOL_EMPTY',
    });
    const plain = pack([{ prompt: [1], desired: [2] }]);
    await expect(poolWith(config).searched(plain, { step: 1, seed: 0 })).rejects.toMatchObject({
      code: 'LABELS_MISSING',
    });
  });

  it('refuses a state that is none of its own', () => {
    const config = { size: 4, tokens: 3, iterations: 1, candidates: 2, top: 9, resetEvery: 9, resetShare: 0 };
    const written = (tokens: readonly number[]): string => tokens.join(' ');
    const { prompt, adversarial, desired } = exampleOf('fine');
    const saved = {
      prompt: written(prompt),
      adversarial: written(adversarial!),
      desired: written(desired),
      suffix: '70 71',
      since: 1,
    };
    expect(() => poolWith(config).restore([saved])).toThrow(
      /expected requests with suffixes of 3 tokens.*got 2 tokens behind a request/,
    );
  });
});
