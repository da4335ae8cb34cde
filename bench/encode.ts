/** @file Times the encoding of a dataset's rows: where it is called, and in threads. Knows nothing about models. */
import {
  createEncoder,
  loadChatTemplate,
  loadTokenizer,
  openSource,
  rowsFrom,
  type EncoderRow,
} from '../datasets/index.js';
import { peakMegabytes, seconds } from './timing.js';

export interface EncodeResult {
  readonly rows: number;
  readonly tokens: number;
  /** Rows a second, by the number of threads beside the one that asks. */
  readonly rows_per_second: Readonly<Record<string, number>>;
  readonly peak_rss_mb: number;
}

const CHUNK = 32;

/** Encodes at least `least` rows for each number of threads, repeating the file. */
export async function timeEncoding(model: string, path: string, least: number): Promise<EncodeResult> {
  const tokenizer = await loadTokenizer(model);
  const template = await loadChatTemplate(model, tokenizer);
  const chunks = await chunksOf(path, least);
  const rates: Record<string, number> = {};
  let tokens = 0;
  for (const threads of [0, 1, 2]) {
    const encoder = createEncoder(template, { context: 2048, overflow: 'drop' }, { threads });
    // Threads start, caches of words fill.
    await Promise.all(chunks.map((chunk) => encoder.encode(chunk)));
    tokens = 0;
    const took = await seconds(async () => {
      for (const encoded of await Promise.all(chunks.map((chunk) => encoder.encode(chunk))))
        for (const each of encoded)
          if ('example' in each && each.example)
            tokens +=
              each.example.prompt.length +
              each.example.desired.length +
              (each.example.adversarial?.length ?? 0);
    });
    rates[threads] = Math.round((chunks.length * CHUNK) / took);
    await encoder.close();
  }
  return { rows: chunks.length * CHUNK, tokens, rows_per_second: rates, peak_rss_mb: peakMegabytes() };
}

async function chunksOf(path: string, least: number): Promise<EncoderRow[][]> {
  const source = await openSource(path);
  const rows: EncoderRow[] = [];
  for await (const { index, row } of rowsFrom(source, source.columns)) {
    const { prompt, rejected, chosen } = row;
    rows.push({ index, owner: `row ${index}`, values: { prompt, adversarial: rejected, desired: chosen } });
  }
  await source.close();
  return Array.from({ length: Math.ceil(least / CHUNK) }, (_, chunk) =>
    Array.from({ length: CHUNK }, (__, at) => rows[(chunk * CHUNK + at) % rows.length] as EncoderRow),
  );
}
