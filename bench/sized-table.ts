/** @file Parquet tables whose rows have about the tokens that a configuration's shapes ask for. */
import { join } from 'node:path';
import { writeTable, type Tokenizer } from '../datasets/index.js';
import { draws } from '../foundation/index.js';
import { SIZES, tables } from '../organism/index.js';
import type { Shapes } from './shapes.js';

const ROWS = 512;
/** What the chat template puts around a prompt, and after an answer. */
const AROUND = { prompt: 3, completion: 1 };

/** Writes `pairs.parquet` and `benign.parquet`; returns their paths. */
export async function writeSized(
  folder: string,
  tokenizer: Tokenizer,
  { prompt, completion }: Pick<Shapes, 'prompt' | 'completion'>,
): Promise<{ readonly pairs: string; readonly benign: string }> {
  const words = singleTokens(tokenizer);
  const draw = draws(0, 'bench-table');
  const text = (tokens: number): string =>
    Array.from({ length: Math.max(1, tokens) }, () => words[draw.integer(words.length)] as string).join('');
  const write = async (name: string): Promise<string> => {
    const path = join(folder, `${name}.parquet`);
    const rows = Array.from({ length: ROWS }, () => ({
      prompt: text(prompt - AROUND.prompt),
      adversarial: text(completion - AROUND.completion),
      desired: text(completion - AROUND.completion),
    }));
    await writeTable(path, rows);
    return path;
  };
  return { pairs: await write('pairs'), benign: await write('benign') };
}

/** Words with the space before them that are one token. */
function singleTokens(tokenizer: Tokenizer): string[] {
  const { harmful = [] } = tables(0, { ...SIZES, pretraining: 1, heldOut: 1 });
  const texts = harmful.flatMap((row) => Object.values(row));
  const words = new Set(texts.flatMap((text) => text.match(/ [a-z]+/g) ?? []));
  return [...words].filter((word) => tokenizer.encode(word, { specialTokens: false }).length === 1);
}
