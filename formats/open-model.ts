/** @file Finds out what a model is kept in. */
import { modelDirectory } from './model-directory.js';
import type { ModelFolder } from './model-folder.js';

/** The model at a path. What is missing in it is said when it is asked for. */
export function openModelFolder(path: string): Promise<ModelFolder> {
  return Promise.resolve(modelDirectory(path));
}
