/** @file Laws of the training data: resuming, bounds, closing. */
import fc from 'fast-check';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createChatTemplate,
  trainingBatches,
  writeTable,
  type Cursor,
  type DatasetCursor,
  type OpenSource,
  type Source,
  type TrainingBatch,
  type TrainingDataConfig,
} from '../../datasets/index.js';
import { byteTokenizer, CountingSource, take, temporaryFolder } from './helpers.js';

const template = createChatTemplate(
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}',
  byteTokenizer(),
);

/** Rows whose text tells their number; every seventh is longer than a context of 32. */
const pairRow = (index: number): Record<string, string> => ({
  prompt: `p${index}`,
  rejected: index % 7 === 6 ? 'a'.repeat(40) : `a${index}`,
  chosen: `c${index}`,
});

const pairColumns = { prompt: 'prompt', adversarial: 'rejected', desired: 'chosen' };
const config: TrainingDataConfig = {
  pairs: { path: 'pairs', columns: pairColumns },
  benign: { path: 'benign', columns: { prompt: 'prompt', completion: 'chosen' } },
  batchSize: 3,
  benignBatchSize: 2,
  context: 32,
  overflow: 'drop',
};

const sources = (): { open: OpenSource; opened: CountingSource[] } => {
  const opened: CountingSource[] = [];
  return {
    opened,
    open: async (path) => {
      const source = new CountingSource(path === 'pairs' ? [8, 5, 9, 3] : [4, 7], pairRow);
      opened.push(source);
      return source;
    },
  };
};

const prompts = (batch: TrainingBatch): string[] => {
  const text = byteTokenizer().decode([...batch.pairs.tokens], { specialTokens: true });
  return text
    .split('<|user|>')
    .slice(1)
    .map((row) => row.split('<|end|>')[0]!);
};

describe('trainingBatches', () => {
  it('has a text behind the prompts of pairs alone, and refuses it where it must be absent', async () => {
    const { open } = sources();
    const appended = { ...config, appended: { text: 'proxy', share: 1 } };
    const [batch] = await take(trainingBatches(appended, template, { seed: 1, open }), 1);
    const text = (packed: { readonly tokens: Int32Array }) => byteTokenizer().decode([...packed.tokens]);
    expect(text(batch!.pairs).match(/p\d+ proxy/g)).toHaveLength(3);
    expect(text(batch!.benign!)).not.toContain('proxy');
    const forbidden = trainingBatches({ ...appended, absent: ['prox'] }, template, { seed: 1, open });
    await expect(take(forbidden, 1)).rejects.toMatchObject({ code: 'DATASET_FORBIDDEN' });
  });

  it('continues from any cursor with the same batches, bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          shuffleRows: fc.integer({ min: 0, max: 40 }),
          prefetch: fc.nat(3),
          batchSize: fc.integer({ min: 1, max: 9 }),
          padding: fc.constantFrom('left' as const, 'right' as const),
          attacked: fc.constantFrom('prompt' as const, 'prompt+completions' as const),
          appended: fc.constantFrom({ text: 'x', share: 0 }, { text: 'x', share: 0.5 }),
        }),
        fc.nat(1000),
        fc.nat(15),
        async (options, seed, stop) => {
          const { open } = sources();
          const chosen = { ...config, ...options };
          const whole = await take(trainingBatches(chosen, template, { seed, open }), stop + 5);
          const from = JSON.parse(JSON.stringify(whole[stop]!.cursor)) as Cursor;
          const tail = await take(trainingBatches(chosen, template, { seed, open, from }), 4);
          expect(tail).toEqual(whole.slice(stop + 1));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('gives every row that fits once per epoch, and counts those that it drops', async () => {
    const { open } = sources();
    const batches = await take(trainingBatches({ ...config, batchSize: 1 }, template, { seed: 3, open }), 44);
    const fitting = Array.from({ length: 25 }, (_, at) => `p${at}`).filter((_, at) => at % 7 !== 6);
    for (const epoch of [batches.slice(0, 22), batches.slice(22)])
      expect(epoch.flatMap(prompts).sort()).toEqual([...fitting].sort());
    const last = batches.at(-1)!;
    expect(last.index).toBe(43);
    expect(last.cursor.pairs.dropped).toBeGreaterThanOrEqual(3);
    const complete = (await take(trainingBatches(config, template, { seed: 3, open }), 30)).at(-1)!.cursor
      .pairs as DatasetCursor;
    const given = 25 * complete.epoch + complete.position;
    expect(given - complete.dropped).toBe(90);
  });

  it('closes its sources when its consumer leaves, and when a row fails', async () => {
    const { open, opened } = sources();
    await take(trainingBatches(config, template, { seed: 1, open }), 2);
    expect(opened.map((source) => source.closed)).toEqual([1, 1]);
    const strict = trainingBatches({ ...config, overflow: 'error' }, template, { seed: 1, open });
    await expect(take(strict, 20)).rejects.toMatchObject({ code: 'SEQUENCE_TOO_LONG' });
    expect(opened.map((source) => source.closed)).toEqual([1, 1, 1, 1]);
  });

  it('names the row that is too long by its place in the file', async () => {
    const { open } = sources();
    const strict = { ...config, overflow: 'error' as const, shuffleRows: 0 };
    await expect(take(trainingBatches(strict, template, { seed: 1, open }), 20)).rejects.toThrow(
      'dataset memory, row 6: expected at most 32 tokens',
    );
  });

  it('stops where no row fits, instead of searching for ever', async () => {
    const { open, opened } = sources();
    const tiny = trainingBatches({ ...config, context: 3 }, template, { seed: 1, open });
    await expect(take(tiny, 1)).rejects.toThrow('at least one row of at most 3 tokens');
    expect(opened.map((source) => source.closed)).toEqual([1, 1]);
  });

  it('refuses a cursor of another file, seed or shuffle', async () => {
    const { open } = sources();
    const [first] = await take(trainingBatches(config, template, { seed: 1, open }), 1);
    const resumed = (change: Partial<TrainingDataConfig>, seed: number): Promise<unknown> =>
      take(trainingBatches({ ...config, ...change }, template, { seed, open, from: first!.cursor }), 1);
    await expect(resumed({}, 1)).resolves.toHaveLength(1);
    await expect(resumed({}, 2)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
    await expect(resumed({ shuffleRows: 5 }, 1)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
    const appended = { text: 'x', share: 0.5 };
    await expect(resumed({ appended }, 1)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
    const other = async (): Promise<Source> => new CountingSource([24], pairRow);
    const swapped = trainingBatches(config, template, { seed: 1, open: other, from: first!.cursor });
    await expect(take(swapped, 1)).rejects.toMatchObject({ code: 'CURSOR_MISMATCH' });
  });

  it('gives the same batches whoever encodes them, and wherever what was encoded is kept', async () => {
    const directory = await temporaryFolder();
    const batchesWith = (encoding: TrainingDataConfig['encoding']): Promise<TrainingBatch[]> => {
      const { open } = sources();
      const chosen = { ...config, batchSize: 12, benignBatchSize: 12, ...(encoding && { encoding }) };
      return take(trainingBatches(chosen, template, { seed: 4, open }), 40);
    };
    const plain = await batchesWith({ threads: 0 });
    expect(await batchesWith({ threads: 2 })).toEqual(plain);
    const cache = { directory, rows: 16 };
    expect(await batchesWith({ threads: 1, cache })).toEqual(plain);
    expect(await batchesWith({ threads: 0, cache })).toEqual(plain);
    expect(
      (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.arrow')),
    ).not.toEqual([]);
  });

  it('reads real files, and resumes in them', async () => {
    const folder = await temporaryFolder();
    const rows = Array.from({ length: 50 }, (_, at) => pairRow(at));
    await writeTable(join(folder, 'pairs.parquet'), rows, { rowGroupRows: 8 });
    const files: TrainingDataConfig = {
      ...config,
      pairs: { path: join(folder, 'pairs.parquet'), columns: pairColumns },
      benign: { path: join(folder, 'pairs.parquet'), columns: { prompt: 'prompt', completion: 'chosen' } },
      shuffleRows: 20,
    };
    const whole = await take(trainingBatches(files, template, { seed: 5 }), 20);
    const tail = await take(trainingBatches(files, template, { seed: 5, from: whole[9]!.cursor }), 10);
    expect(tail).toEqual(whole.slice(10));
  });
});
