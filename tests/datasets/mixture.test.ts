/** @file Laws of mixtures and filters: exact resume, shares by weight, what ends drops out, what is left out is counted. */
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  trainingBatches,
  type Cursor,
  type DatasetConfig,
  type MixtureCursor,
  type OpenSource,
  type PairColumns,
  type RowFilter,
  type TrainingBatch,
  type TrainingDataConfig,
} from '../../datasets/index.js';
import { byteTokenizer, CountingSource, take } from './helpers.js';

const template = createChatTemplate(
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}',
  byteTokenizer(),
);
const columns: PairColumns = { prompt: 'prompt', adversarial: 'bad', desired: 'good' };
/** Sources a, b, c and d of 7, 11, 5 and 11 rows; a prompt tells its source and row. */
const SIZES: Readonly<Record<string, readonly number[]>> = { a: [4, 3], b: [11], c: [2, 2, 1], d: [11] };
const open: OpenSource = async (path) =>
  new CountingSource(SIZES[path as string] ?? [], (index) => ({
    prompt: `${String(path)}${index}`,
    bad: index % 3 === 2 ? 'x'.repeat(60) : 'bad',
    good: 'good',
    even: index % 2 === 0,
    maybe: index % 4 === 0 ? null : `v${index % 4}`,
  }));

const config = (
  pairs: TrainingDataConfig['pairs'],
  more: Partial<TrainingDataConfig> = {},
): TrainingDataConfig => ({
  pairs,
  batchSize: 1,
  context: 40,
  overflow: 'drop',
  shuffleRows: 4,
  ...more,
});
const part = (path: string, more: Partial<DatasetConfig<PairColumns>> = {}): DatasetConfig<PairColumns> => ({
  path,
  columns,
  ...more,
});

const promptsOf = (batches: readonly TrainingBatch[]): string[] =>
  batches.flatMap((batch) =>
    byteTokenizer()
      .decode([...batch.pairs.tokens], { specialTokens: true })
      .split('<|user|>')
      .slice(1)
      .map((row) => row.split('<|end|>')[0]!),
  );

const run = (given: TrainingDataConfig, count: number, seed = 1, from?: Cursor): Promise<TrainingBatch[]> =>
  take(trainingBatches(given, template, { seed, open, ...(from && { from }) }), count);

describe('a mixture', () => {
  const dataset = fc.record({
    path: fc.constantFrom('a', 'b', 'c'),
    weight: fc.double({ min: 0.1, max: 5, noNaN: true }),
    repeat: fc.boolean(),
    filter: fc.constantFrom<readonly RowFilter[]>(
      [],
      [{ column: 'even', equals: true }],
      [{ column: 'maybe', exists: true }],
    ),
  });

  it('goes on from any cursor with the same batches, whatever ended before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(dataset, { minLength: 1, maxLength: 3 }),
        fc.record({
          shuffleRows: fc.nat(12),
          batchSize: fc.integer({ min: 1, max: 4 }),
          prefetch: fc.nat(2),
        }),
        fc.nat(20),
        fc.nat(100),
        async (parts, more, stop, seed) => {
          const given = config([...parts.map((each) => part(each.path, each)), part('b')], more);
          const whole = await run(given, stop + 6, seed);
          const from = JSON.parse(JSON.stringify(whole[stop]!.cursor)) as Cursor;
          expect(from.version).toBe(2);
          expect(await run(given, 5, seed, from)).toEqual(whole.slice(stop + 1));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('gives each dataset its share by weight, before long rows are dropped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.nat(1000), async (weight, seed) => {
        const given = config([
          part('a', { weight, filter: [{ column: 'bad', maxLength: 10 }] }),
          part('b', { weight: 3, filter: [{ column: 'bad', maxLength: 10 }] }),
        ]);
        const count = 400;
        const found = promptsOf(await run(given, count, seed)).filter((prompt) =>
          prompt.startsWith('a'),
        ).length;
        const share = weight / (weight + 3);
        // Five standard deviations of a binomial count.
        expect(Math.abs(found - count * share)).toBeLessThan(5 * Math.sqrt(count * share * (1 - share)));
      }),
      { numRuns: 8 },
    );
  });

  it('goes on without a dataset that is not repeated once it has given each row once, and complains when all have ended', async () => {
    const once = config([part('a', { repeat: false, weight: 50 }), part('b')], { context: 100 });
    const prompts = promptsOf(await run(once, 60));
    expect(prompts.filter((prompt) => prompt.startsWith('a')).sort()).toEqual(
      Array.from({ length: 7 }, (_, at) => `a${at}`),
    );
    const both = config([part('a', { repeat: false }), part('c', { repeat: false })], { context: 100 });
    expect(promptsOf(await run({ ...both, prefetch: 0 }, 12))).toHaveLength(12);
    await expect(run(both, 13)).rejects.toMatchObject({ code: 'DATASET_ENDED' });
  });

  it('draws by seed, and mixes the rows of each of its datasets in an order of its own', async () => {
    const given = config([part('b'), part('d')], { context: 100 });
    const orders = await Promise.all([1, 2].map(async (seed) => promptsOf(await run(given, 60, seed))));
    const [one, two] = orders.map((prompts) => prompts.map((prompt) => prompt[0]).join(''));
    expect(one).not.toBe(two);
    const rowsOf = (path: string): string[] =>
      orders[0]!.filter((prompt) => prompt.startsWith(path)).map((prompt) => prompt.slice(1));
    expect(rowsOf('b').slice(0, 11)).not.toEqual(rowsOf('d').slice(0, 11));
  });

  it('keeps how far a dataset was that has ended, and lets it end though nothing passes', async () => {
    const filter: RowFilter[] = [{ column: 'even', equals: true }];
    const once = config([part('a', { repeat: false, weight: 50, filter }), part('b')], { context: 100 });
    const { parts } = (await run(once, 30)).at(-1)!.cursor.pairs as MixtureCursor;
    expect(parts[0]!.ended).toBe(true);
    expect(parts[0]!.position - parts[0]!.filtered + 7 * parts[0]!.epoch).toBe(4);
    const nothing: RowFilter[] = [{ column: 'even', equals: 'yes' }];
    const none = config([part('a', { repeat: false, filter: nothing }), part('b')], { context: 100 });
    expect(promptsOf(await run(none, 5)).every((prompt) => prompt.startsWith('b'))).toBe(true);
  });

  it('leaves out what its filters do not want, and counts it by dataset', async () => {
    const given = config([part('a', { filter: [{ column: 'even', equals: true }] }), part('c')], {
      context: 100,
    });
    const batches = await run(given, 40);
    const prompts = promptsOf(batches);
    expect(new Set(prompts.filter((prompt) => prompt.startsWith('a')))).toEqual(
      new Set(['a0', 'a2', 'a4', 'a6']),
    );
    const cursor = batches.at(-1)!.cursor.pairs as MixtureCursor;
    const { epoch, position, filtered } = cursor.parts[0]!;
    const kept = prompts.filter((prompt) => prompt.startsWith('a')).length;
    expect(7 * epoch + position - filtered).toBe(kept);
    expect(cursor.parts[1]!.filtered).toBe(0);
    const nothing = config([part('a', { filter: [{ column: 'even', equals: 'yes' }] })]);
    await expect(run(nothing, 1)).rejects.toThrow('at least one row that passes its filter');
  });

  it('finds the only row that passes, or that fits, wherever epochs have it', async () => {
    const one = part('b', { filter: [{ rows: { from: 4, to: 5 } }] });
    const source = new CountingSource([11], (index) => ({
      prompt: `b${index}`,
      bad: index === 4 ? 'bad' : 'x'.repeat(60),
      good: 'good',
    }));
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.boolean(), async (seed, fits) => {
        const given = config(fits ? part('b') : one, { shuffleRows: 12, ...(!fits && { context: 100 }) });
        const options = { seed, open: fits ? async () => source : open };
        const batches = await take(trainingBatches(given, template, options), 12);
        expect(new Set(promptsOf(batches))).toEqual(new Set(['b4']));
      }),
      { numRuns: 20 },
    );
  });

  it('refuses the cursor of another mixture, of a single dataset and of another version', async () => {
    const given = config([part('a'), part('b', { weight: 2 })]);
    const [first] = await run(given, 1);
    const resumed = (pairs: TrainingDataConfig['pairs'], cursor: unknown = first!.cursor): Promise<unknown> =>
      run(config(pairs), 1, 1, cursor as Cursor);
    await expect(resumed(given.pairs)).resolves.toHaveLength(1);
    for (const other of [
      [part('a'), part('b')],
      [part('b', { weight: 2 }), part('a')],
      part('a'),
      [part('a')],
    ])
      await expect(resumed(other)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
    await expect(resumed(given.pairs, { ...first!.cursor, version: 3 })).rejects.toMatchObject({
      code: 'CURSOR_VERSION',
    });
  });
});

describe('a single dataset', () => {
  it('keeps the cursor that it had before there were mixtures', async () => {
    const [first] = await run(config(part('a')), 1);
    const order = createHash('sha256')
      .update(JSON.stringify([0, [4, 3], 4, 1, 'pairs']))
      .digest('hex')
      .slice(0, 16);
    expect(first!.cursor).toMatchObject({ version: 1, batches: 1, pairs: { epoch: 0, order } });
    expect(Object.keys(first!.cursor.pairs).sort()).toEqual(['dropped', 'epoch', 'order', 'position']);
  });

  it('may be filtered, too, and another filter is another order', async () => {
    const given = config(part('b', { filter: [{ column: 'maybe', in: ['v1', 'v2'] }] }), { context: 100 });
    const batches = await run(given, 7);
    expect(new Set(promptsOf(batches))).toEqual(new Set(['b1', 'b2', 'b5', 'b6', 'b9', 'b10']));
    expect(await run(given, 4, 1, batches[2]!.cursor)).toEqual((await run(given, 7)).slice(3));
    await expect(run(config(part('b'), { context: 100 }), 1, 1, batches[2]!.cursor)).rejects.toMatchObject({
      code: 'CURSOR_MISMATCH',
    });
  });
});
