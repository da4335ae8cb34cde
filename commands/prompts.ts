/** @file Prompts from a file. Knows no model. */
import { readRows } from '../datasets/index.js';
import { readText } from '../formats/index.js';
import { parseJson } from '../foundation/index.js';

/**
 * The prompts of a file: a JSON list of texts, the lines of a `.txt` file, or the column `prompt` of any dataset (JSON
 * lines, a JSON list of objects, Parquet, …).
 * @throws DATASET_… as reading datasets does.
 */
export async function readPrompts(path: string): Promise<string[]> {
  const listed = /\.json$/i.test(path) && (await listOfTexts(path));
  if (listed) return listed;
  const column = /\.(txt|text)$/i.test(path) ? 'text' : 'prompt';
  return (await readRows(path, { prompt: column })).map(({ prompt }) => prompt);
}

/** What else a file may hold, and what is wrong with it, is said by who reads datasets. */
async function listOfTexts(path: string): Promise<string[] | undefined> {
  const text = await readText(path).catch(() => '');
  if (!/^\ufeff?\s*\[\s*"/.test(text)) return undefined;
  try {
    const list: unknown = parseJson(text.replace(/^\ufeff/, ''));
    if (Array.isArray(list) && list.every((each): each is string => typeof each === 'string')) return list;
  } catch {
    // No JSON.
  }
  return undefined;
}
