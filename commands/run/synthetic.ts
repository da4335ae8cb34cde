/** @file Small tables and a tokenizer for runs that need no files: the organism's own generator, in miniature. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTable } from '../../datasets/index.js';
import { writeAtomically } from '../../formats/index.js';
import { buildTokenizer, SIZES, tables } from '../../organism/index.js';

/** Entries of the tokenizer: the bytes, the special tokens and a few frequent pieces. */
const VOCABULARY = 384;

/** Writes `*.parquet`, `tokenizer.json` and `tokenizer_config.json`; the same seed writes the same bytes. */
export async function writeSynthetic(
  directory: string,
  seed: number,
  size: { readonly rows: number; readonly heldOut: number },
  context: number,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const made = tables(seed, {
    ...SIZES,
    pretraining: size.rows,
    pairs: size.rows,
    benign: size.rows,
    heldOut: size.heldOut,
  });
  for (const [name, rows] of Object.entries(made))
    await writeTable(join(directory, `${name}.parquet`), rows, { rowGroupRows: 16 });
  const texts = Object.values(made).flatMap((rows) => rows.flatMap((row) => Object.values(row)));
  const { tokenizer, config } = buildTokenizer(texts, VOCABULARY, context);
  await writeAtomically(join(directory, 'tokenizer.json'), [JSON.stringify(tokenizer)]);
  await writeAtomically(join(directory, 'tokenizer_config.json'), [JSON.stringify(config)]);
}
