/** @file How fast rows of the embedded Parquet tables become packed batches: read, shuffled, encoded in a thread, packed. */
import { join } from 'node:path';
import { loadChatTemplate, loadTokenizer, trainingBatches } from '../datasets/index.js';
import { peakMegabytes } from './timing.js';

const BATCH = 16;

export interface BatchesResult {
  /** Pairs and benign rows together. */
  readonly rows: number;
  readonly batches: number;
  readonly rows_per_second: number;
  /** Tokens in packed rows, padding excluded. */
  readonly tokens_per_second: number;
  /** Opening, the first rows and the first batch. */
  readonly first_seconds: number;
  readonly peak_rss_mb: number;
}

/** @param root of the repository. @param least rows; the tables are repeated as training repeats them. */
export async function timeBatches(root: string, least: number): Promise<BatchesResult> {
  const model = join(root, 'organism/model');
  const template = await loadChatTemplate(model, await loadTokenizer(model));
  const table = (name: string): string => join(root, 'organism/data', `${name}.parquet`);
  const began = performance.now();
  const source = trainingBatches(
    {
      pairs: {
        path: table('harmful'),
        columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired' },
      },
      benign: { path: table('benign'), columns: { prompt: 'prompt', completion: 'completion' } },
      batchSize: BATCH,
      context: 2048,
      encoding: { threads: 1 },
    },
    template,
    { seed: 0 },
  );
  await source.next();
  const first = performance.now();
  const batches = Math.ceil(least / (2 * BATCH));
  let tokens = 0;
  for (let batch = 0; batch < batches; batch++) {
    const { value } = await source.next();
    for (const packed of [value?.pairs, value?.benign])
      tokens += packed?.segments.reduce((sum, segment) => sum + Number(segment !== 0), 0) ?? 0;
  }
  const took = (performance.now() - first) / 1000;
  await source.return?.();
  const rows = batches * 2 * BATCH;
  return {
    rows,
    batches,
    rows_per_second: Math.round(rows / took),
    tokens_per_second: Math.round(tokens / took),
    first_seconds: (first - began) / 1000,
    peak_rss_mb: peakMegabytes(),
  };
}

export function describeBatches(result: BatchesResult): string {
  return (
    `${result.rows_per_second} rows/s, ${result.tokens_per_second} tokens/s to packed batches ` +
    `(${result.rows} rows, one thread encodes), the first batch after ${result.first_seconds.toFixed(3)} s`
  );
}
