/** @file Models in folders as Hugging Face keeps them: `config.json` and safetensors, in one file or in shards. */
import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { complain } from '../../foundation/index.js';
import { readSafetensors, writeAtomically, writeSafetensors, type FloatType } from '../../formats/index.js';
import type { HostTensor } from '../tensor.js';
import { modelConfigJson, parseModelConfig, type ModelConfig } from './config.js';
import { parameterShapes } from './parameters.js';

/** A model in host memory. */
export interface Model {
  readonly config: ModelConfig;
  /** float32, by Hugging Face name. */
  readonly parameters: Readonly<Record<string, HostTensor>>;
  /** Where it came from. */
  readonly directory: string;
}

/**
 * Loads a model; tensors that the decoder has no use for are not read.
 * @throws MODEL_FILE_MISSING, MODEL_CONFIG, MODEL_UNKNOWN_ARCHITECTURE, MODEL_MISSING_TENSOR, MODEL_TENSOR_SHAPE, and
 *   what `readSafetensors` throws.
 */
export async function loadModel(directory: string): Promise<Model> {
  const config = await loadModelConfig(directory);
  const shapes = parameterShapes(config);
  const parameters: Record<string, HostTensor> = {};
  for (const [file, names] of await filesOf(directory, Object.keys(shapes))) {
    const path = join(directory, file);
    await access(path).catch((error: unknown) => missingFile(path, error));
    const { tensors } = await readSafetensors(path, (name) => names.has(name));
    Object.assign(parameters, tensors);
  }
  const owner = `model ${directory}`;
  return { config, parameters: checkTensors(parameters, shapes, owner), directory };
}

/** Reads a model's `config.json` alone. @throws MODEL_FILE_MISSING, MODEL_CONFIG, MODEL_UNKNOWN_ARCHITECTURE */
export async function loadModelConfig(directory: string): Promise<ModelConfig> {
  const path = join(directory, 'config.json');
  return parseModelConfig(parsed(await text(path), path), `model ${path}`);
}

/** Writes `config.json` and `model.safetensors`, each atomically, so that {@link loadModel} and transformers read them. */
export async function saveModel(
  directory: string,
  model: Pick<Model, 'config' | 'parameters'>,
  floats: FloatType = 'F32',
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'model.safetensors');
  await writeSafetensors(path, model.parameters, { metadata: { format: 'pt' }, floats });
  const json = `${JSON.stringify(modelConfigJson(model.config), null, 2)}\n`;
  await writeAtomically(join(directory, 'config.json'), [json]);
}

/**
 * The tensors that `shapes` names, in its order.
 * @throws MODEL_MISSING_TENSOR, MODEL_TENSOR_SHAPE
 */
export function checkTensors(
  tensors: Readonly<Record<string, HostTensor>>,
  shapes: Readonly<Record<string, readonly number[]>>,
  owner: string,
): Record<string, HostTensor> {
  const missing = Object.keys(shapes).filter((name) => !tensors[name]);
  if (missing.length > 0)
    complain({
      code: 'MODEL_MISSING_TENSOR',
      owner,
      expected: `tensor ${missing[0] as string}`,
      got: `${missing.length} of ${Object.keys(shapes).length} tensors missing`,
      hint: 'use the weights that belong to this configuration',
    });
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const tensor = tensors[name] as HostTensor;
      if (tensor.shape.join() === shape.join() && tensor.dtype === 'float32') return [name, tensor];
      return complain({
        code: 'MODEL_TENSOR_SHAPE',
        owner: `${owner}, tensor ${name}`,
        expected: `float [${shape.join(', ')}]`,
        got: `${tensor.dtype} [${tensor.shape.join(', ')}]`,
        hint: 'use the weights that belong to this configuration',
      });
    }),
  );
}

/** Which names to read from which file. */
async function filesOf(directory: string, names: readonly string[]): Promise<Map<string, Set<string>>> {
  const path = join(directory, 'model.safetensors.index.json');
  const index = await text(path).catch(() => null);
  if (index === null) return new Map([['model.safetensors', new Set(names)]]);
  const json = parsed(index, path) as { readonly weight_map?: unknown } | null;
  const map = json?.weight_map;
  if (typeof map !== 'object' || map === null)
    complain({
      code: 'MODEL_CONFIG',
      owner: `model ${path}`,
      expected: 'a weight_map of tensor names to files',
      got: map === undefined ? 'nothing' : JSON.stringify(map).slice(0, 80),
      hint: 'fetch the index file again',
    });
  const files = new Map<string, Set<string>>();
  for (const name of names) {
    const file = (map as Record<string, unknown>)[name];
    if (typeof file !== 'string') continue;
    files.set(file, (files.get(file) ?? new Set()).add(name));
  }
  return files;
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    return missingFile(path, error);
  }
}

function missingFile(path: string, cause: unknown): never {
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

function parsed(json: string, path: string): unknown {
  try {
    return JSON.parse(json);
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
