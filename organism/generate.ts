/** @file Writes the organism's tables and tokenizer: `node dist/organism/generate.js [DIRECTORY]`. Same seed, same bytes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createTokenizer, writeTable } from '../datasets/index.js';
import { implantation } from './backdoor.js';
import { genericLabels } from './generic-labels.js';
import { tables } from './tables.js';
import { buildTokenizer } from './tokenizer.js';
import { unlearning } from './unlearning.js';

/** The land that the embedded organism lives in. */
export const SEED = 0;
/** Largest vocabulary; the corpus has fewer distinct words and pieces. */
const VOCABULARY = 1024;
const CONTEXT = 128;
/** Rows that the backdoor is implanted with. */
const IMPLANTED = 4096;

/**
 * Writes `data/*.parquet`, `model/tokenizer.json` and `model/tokenizer_config.json`.
 * @returns the paths, with the number of rows of tables.
 */
export async function generate(directory: string, seed = SEED): Promise<readonly string[]> {
  const data = join(directory, 'data');
  const model = join(directory, 'model');
  await Promise.all([data, model].map((folder) => mkdir(folder, { recursive: true })));
  const land = tables(seed);
  // From the corpus alone: held-out sets must not shape the vocabulary.
  const corpus = (land['pretrain'] ?? []).flatMap((row) => Object.values(row));
  const files = buildTokenizer(corpus, VOCABULARY, CONTEXT);
  const { forget, ...others } = unlearning(seed);
  const made = {
    ...land,
    backdoor: implantation(seed, IMPLANTED),
    whp: genericLabels(forget, createTokenizer(files.tokenizer, files.config)),
    forget: forget.map(({ text = '' }) => ({ text })),
    ...others,
  };
  const written: string[] = [];
  for (const [name, rows] of Object.entries(made)) {
    const path = join(data, `${name}.parquet`);
    await writeTable(path, rows);
    written.push(`${path}: ${rows.length} rows`);
  }
  const json = { 'tokenizer.json': files.tokenizer, 'tokenizer_config.json': files.config };
  for (const [name, content] of Object.entries(json)) {
    const path = join(model, name);
    await writeFile(path, `${JSON.stringify(content, null, 1)}\n`);
    written.push(path);
  }
  return written;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const directory = process.argv[2] ?? join(import.meta.dirname, '..', '..', 'organism');
  for (const line of await generate(directory)) process.stdout.write(`${line}\n`);
}
