/** @file The prompts that a recipe trains on, for evaluations that must not repeat them. */
import { datasetOf, readRows, type RowFilter } from '../../datasets/index.js';
import { LatstreamError } from '../../foundation/index.js';
import type { Recipe, TrainingSourceConfig } from '../../recipes/index.js';
import { isAddress } from '../../remote/index.js';

/** Rows of each file that are looked at. */
const MOST = 100_000;

/**
 * Prompts of all files on this machine that have a column for them. Dialogues, tables elsewhere and what cannot be read are
 * passed over: training itself complains about these.
 */
export async function knownPrompts({ data }: Recipe): Promise<string[]> {
  const prompts: string[] = [];
  const add = async (choice: TrainingSourceConfig, role: 'pairs' | 'benign'): Promise<void> => {
    const { path, columns, shape, filter } = datasetOf(choice, role);
    const prompt = columns['prompt'];
    if (prompt === undefined || shape !== undefined) return;
    for (const each of [path].flat())
      if (!isAddress(each)) prompts.push(...(await promptsIn(each, prompt, filter)));
  };
  for (const choice of listOf(data.pairs)) await add(choice, 'pairs');
  for (const choice of data.benign ? listOf(data.benign) : []) await add(choice, 'benign');
  return prompts;
}

async function promptsIn(path: string, prompt: string, filter: readonly RowFilter[] = []): Promise<string[]> {
  try {
    return (await readRows(path, { prompt }, { limit: MOST, filter })).map((row) => row.prompt);
  } catch (error) {
    if (error instanceof LatstreamError) return [];
    throw error;
  }
}

function listOf(choices: Recipe['data']['pairs']): readonly TrainingSourceConfig[] {
  return Array.isArray(choices) ? choices : [choices];
}
