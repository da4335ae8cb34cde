/** @file The files beside a model's weights that make a folder a model that can be talked to: copied, whatever holds them. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFolder, writeAtomically, type ModelFile } from '../../formats/index.js';
import { codeOf } from '../outputs.js';

/** What every model folder can give, a GGUF file too. */
const COMMON: readonly ModelFile[] = [
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
];

/** What other tools read beside them; only folders have these. */
const OTHERS = [
  'special_tokens_map.json',
  'added_tokens.json',
  'tokenizer.model',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
];

/** Copies what there is of them from a model into a directory. @returns the files' names. */
export async function copyCompanions(model: string, directory: string): Promise<string[]> {
  const folder = await openModelFolder(model);
  const copied: string[] = [];
  for (const name of COMMON) {
    const content = await folder.text(name);
    if (content === undefined) continue;
    await writeAtomically(join(directory, name), [content]);
    copied.push(name);
  }
  for (const name of OTHERS) {
    const there = await copyFile(join(model, name), join(directory, name)).then(
      () => true,
      (error: unknown) => (isMissing(error) ? false : Promise.reject(error as Error)),
    );
    if (there) copied.push(name);
  }
  return copied;
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
}
