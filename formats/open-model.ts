/** @file Finds out what a model is kept in: a folder of Hugging Face files, or a GGUF file, alone or in a folder. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { complain } from '../foundation/index.js';
import { ggufModel } from './gguf/model.js';
import { modelDirectory } from './model-directory.js';
import type { ModelFolder } from './model-folder.js';

/**
 * The model at a path. What is missing in it is said when it is asked for.
 * @throws GGUF_SEVERAL for a folder of several GGUF files and no other weights.
 */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return ggufModel(path);
  const files = found?.isDirectory() ? await readdir(path) : [];
  const ggufs = files.filter((file) => file.toLowerCase().endsWith('.gguf')).sort();
  const [only] = ggufs;
  if (only === undefined || files.some((file) => /^model\.safetensors(\.index\.json)?$/.test(file)))
    return modelDirectory(path);
  if (ggufs.length === 1) return ggufModel(join(path, only));
  return complain({
    code: 'GGUF_SEVERAL',
    owner: `model ${path}`,
    expected: 'a folder with one .gguf file',
    got: ggufs.slice(0, 5).join(', ') + (ggufs.length > 5 ? ', …' : ''),
    hint: `name one of them, such as ${join(path, only)}`,
  });
}
