/** @file A model as Hugging Face keeps it: a directory of JSON files and safetensors, in one file or in shards. */
import { access } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { complain, parseJson } from '../foundation/index.js';
import { readText } from './file.js';
import type { ModelFolder } from './model-folder.js';
import { readSafetensors, readSafetensorsHeader } from './safetensors.js';
import type { StoredHalf, StoredTensor } from './stored-tensor.js';

const WHOLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * The directory's files, each read when it is asked for.
 * @throws MODEL_FILE_MISSING, MODEL_CONFIG and what `readSafetensors` throws, when read.
 */
export function modelDirectory(path: string): ModelFolder {
  return {
    path,
    text: (name) => optionalText(join(path, name)),
    async shapes() {
      const map = await weightMap(path);
      const files = map ? new Set(map.values()) : [WHOLE];
      const shapes = new Map<string, readonly number[]>();
      for (const file of files) {
        const { entries } = await readSafetensorsHeader(await present(join(path, file)));
        for (const { name, shape } of entries) shapes.set(name, shape);
      }
      return shapes;
    },
    async tensors(names, matrices) {
      const map = await weightMap(path);
      const tensors: Record<string, StoredTensor | StoredHalf> = {};
      for (const [file, wanted] of byFile(names, map)) {
        const isWanted = (name: string): boolean => wanted.has(name);
        const read = await readSafetensors(await present(join(path, file)), isWanted, matrices);
        Object.assign(tensors, read.tensors);
      }
      return tensors;
    },
  };
}

function byFile(
  names: Iterable<string>,
  map: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, ReadonlySet<string>> {
  if (!map) return new Map([[WHOLE, new Set(names)]]);
  const files = new Map<string, Set<string>>();
  for (const name of names) {
    const file = map.get(name);
    if (file !== undefined) files.set(file, (files.get(file) ?? new Set()).add(name));
  }
  return files;
}

/** Which shard holds which tensor; undefined where there is but one file. */
async function weightMap(directory: string): Promise<ReadonlyMap<string, string> | undefined> {
  const path = join(directory, INDEX);
  const text = await optionalText(path);
  if (text === undefined) return undefined;
  const json = parsed(text, path) as { readonly weight_map?: unknown } | null;
  const map = json?.weight_map;
  if (typeof map !== 'object' || map === null)
    complain({
      code: 'MODEL_CONFIG',
      owner: `model ${path}`,
      expected: 'a weight_map of tensor names to files',
      got: map === undefined ? 'nothing' : JSON.stringify(map).slice(0, 80),
      hint: 'fetch the index file again',
    });
  const files = Object.entries(map).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  for (const [name, file] of files) if (leavesFolder(file)) refuseOutside(path, name, file);
  return new Map(files);
}

/** A link in the folder may lead anywhere, as those of the hub's cache do; a name may not. */
function leavesFolder(file: string): boolean {
  return isAbsolute(file) || normalize(file).startsWith('..');
}

function refuseOutside(path: string, name: string, file: string): never {
  return complain({
    code: 'MODEL_CONFIG',
    owner: `model ${path}, tensor ${name}`,
    expected: 'a file in the folder of the model',
    got: file.slice(0, 80),
    hint: 'fetch the index file again',
  });
}

function parsed(json: string, path: string): unknown {
  try {
    return parseJson(json);
  } catch (error) {
    return complain(
      {
        code: 'MODEL_CONFIG',
        owner: `model ${path}`,
        expected: 'JSON',
        got: (error as Error).message,
        hint: 'fetch the file again',
      },
      { cause: error },
    );
  }
}

async function optionalText(path: string): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return missing(path, error);
  }
}

async function present(path: string): Promise<string> {
  await access(path).catch((error: unknown) => missing(path, error));
  return path;
}

function missing(path: string, cause: unknown): never {
  return complain(
    {
      code: 'MODEL_FILE_MISSING',
      owner: `model ${path}`,
      expected: 'a file that can be read',
      got: (cause as NodeJS.ErrnoException).code ?? String(cause),
      hint: 'name a folder with config.json and model.safetensors',
    },
    { cause },
  );
}
