/** @file Models from model folders, checked against their configuration, and back into one. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { complain, parseJson } from '../../foundation/index.js';
import {
  openModelFolder,
  writeAtomically,
  writeShards,
  type FloatType,
  type ModelFolder,
} from '../../formats/index.js';
import { halfOf, type Precision } from '../precision.js';
import type { HalfTensor, HostTensor } from '../tensor.js';
import { modelConfigText, parseModelConfig, type WeightType } from './config.js';
import type { ModelConfig } from './model-config.js';
import { parameterShapes } from './parameters.js';
import { storedNames, untangled } from './stored-names.js';

/** A model in host memory. */
export interface Model<T = HostTensor> {
  readonly config: ModelConfig;
  /** By Hugging Face name; float32, unless matrices were asked for in 16 bits. */
  readonly parameters: Readonly<Record<string, T>>;
  /** Where it came from. */
  readonly directory: string;
}

/**
 * Loads a model; tensors that the decoder has no use for are not read.
 * @param matrices what they are kept in: float32 if not given. Never is more than one tensor held in another type.
 * @throws MODEL_FILE_MISSING, MODEL_CONFIG, MODEL_UNKNOWN_ARCHITECTURE, MODEL_MISSING_TENSOR, MODEL_TENSOR_SHAPE, and
 *   what `openModelFolder` and its result throw.
 */
export async function loadModel(directory: string): Promise<Model>;
export async function loadModel(
  directory: string,
  matrices: Precision,
): Promise<Model<HostTensor | HalfTensor>>;
export async function loadModel(
  directory: string,
  matrices: Precision = 'float32',
): Promise<Model<HostTensor | HalfTensor>> {
  const folder = await openModelFolder(directory);
  const config = await configOf(folder);
  const model = untangled(config, await folder.tensors(storedNames(config), halfOf(matrices)));
  const parameters = checkTensors(model.parameters, parameterShapes(model.config), `model ${directory}`);
  return { ...model, parameters, directory };
}

/** Reads a model's `config.json` alone. @throws MODEL_FILE_MISSING, MODEL_CONFIG, MODEL_UNKNOWN_ARCHITECTURE */
export async function loadModelConfig(directory: string): Promise<ModelConfig> {
  return configOf(await openModelFolder(directory));
}

const FLOATS: Readonly<Record<WeightType, FloatType>> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

/** How a model is written; in one float32 file by default. */
export interface SaveOptions {
  readonly type?: WeightType;
  /** Most bytes of tensors in one file. */
  readonly shardBytes?: number;
  /** Called after every file of tensors, with their bytes. */
  readonly onFile?: (file: string, bytes: number) => void;
}

/**
 * Writes `model.safetensors`, or shards and their index, and then `config.json`, each atomically, so that {@link loadModel} and
 * transformers read them.
 * @returns the files. @throws MODEL_RANGE where a weight is too large for the type.
 */
export async function saveModel(
  directory: string,
  model: Pick<Model, 'config' | 'parameters'>,
  { type = 'float32', shardBytes = Infinity, onFile }: SaveOptions = {},
): Promise<string[]> {
  if (type === 'float16') checkRange(model.parameters);
  await mkdir(directory, { recursive: true });
  const files = await writeShards(directory, model.parameters, {
    floats: FLOATS[type],
    mostBytes: shardBytes,
    ...(onFile && { onFile }),
  });
  await writeAtomically(join(directory, 'config.json'), [modelConfigText(model.config, type)]);
  return [...files, 'config.json'];
}

/** The first magnitude that float16 rounds to infinity. */
const HALF_LIMIT = 65_520;

function checkRange(parameters: Readonly<Record<string, HostTensor>>): void {
  for (const [name, { data }] of Object.entries(parameters)) {
    const large = data.find((value) => Math.abs(value) >= HALF_LIMIT);
    if (large !== undefined)
      complain({
        code: 'MODEL_RANGE',
        owner: `tensor ${name}`,
        expected: `weights below ${HALF_LIMIT}, which float16 can hold`,
        got: String(large),
        hint: 'write bfloat16 or float32',
      });
  }
}

/**
 * The tensors that `shapes` names, in its order.
 * @throws MODEL_MISSING_TENSOR, MODEL_TENSOR_SHAPE
 */
export function checkTensors<T extends HostTensor | HalfTensor>(
  tensors: Readonly<Record<string, T>>,
  shapes: Readonly<Record<string, readonly number[]>>,
  owner: string,
): Record<string, T> {
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
      const tensor = tensors[name] as T;
      if (tensor.shape.join() === shape.join() && tensor.dtype !== 'int32') return [name, tensor];
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

async function configOf(folder: ModelFolder): Promise<ModelConfig> {
  const owner = `model ${join(folder.path, 'config.json')}`;
  const text = await folder.text('config.json');
  if (text === undefined)
    return complain({
      code: 'MODEL_FILE_MISSING',
      owner,
      expected: 'a file that can be read',
      got: 'none',
      hint: 'name a folder with config.json and model.safetensors, or a .gguf file',
    });
  return parseModelConfig(parsed(text, owner), owner);
}

function parsed(json: string, owner: string): unknown {
  try {
    return parseJson(json);
  } catch (error) {
    return complain(
      {
        code: 'MODEL_CONFIG',
        owner,
        expected: 'JSON',
        got: (error as Error).message,
        hint: 'fetch the file again',
      },
      { cause: error },
    );
  }
}
