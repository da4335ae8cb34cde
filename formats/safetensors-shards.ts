/** @file Writes tensors as one safetensors file, or as shards of a size with the index that transformers reads. */
import { join } from 'node:path';
import { writeAtomically } from './atomic.js';
import { writeSafetensors, type FloatType } from './safetensors.js';
import type { StoredTensor } from './stored-tensor.js';

type Tensors = Readonly<Record<string, StoredTensor>>;

/** How shards are written. */
export interface ShardOptions {
  readonly floats: FloatType;
  /** Most bytes of tensors in a file; a tensor that is larger has a file of its own. */
  readonly mostBytes: number;
  /** Called after every file, with the bytes of its tensors. */
  readonly onFile?: (file: string, bytes: number) => void;
}

const WHOLE = 'model.safetensors';

/** Writes `model.safetensors`, or `model-00001-of-0000N.safetensors` and so on, and then their index. @returns the files. */
export async function writeShards(
  directory: string,
  tensors: Tensors,
  { floats, mostBytes, onFile }: ShardOptions,
): Promise<string[]> {
  const bytesOf = ({ data }: StoredTensor): number =>
    data.length * (data instanceof Int32Array || floats === 'F32' ? 4 : 2);
  const shards = split(tensors, bytesOf, mostBytes);
  const number = (value: number): string => String(value).padStart(5, '0');
  const files = shards.map((_, index) =>
    shards.length === 1 ? WHOLE : `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`,
  );
  let total = 0;
  for (const [index, shard] of shards.entries()) {
    const file = files[index] as string;
    await writeSafetensors(join(directory, file), shard, { metadata: { format: 'pt' }, floats });
    const bytes = Object.values(shard).reduce((sum, tensor) => sum + bytesOf(tensor), 0);
    total += bytes;
    onFile?.(file, bytes);
  }
  if (shards.length === 1) return files;
  const map = shards.flatMap((shard, index) => Object.keys(shard).map((name) => [name, files[index]]));
  const json = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) as object };
  const index = 'model.safetensors.index.json';
  await writeAtomically(join(directory, index), [`${JSON.stringify(json, null, 2)}\n`]);
  return [...files, index];
}

/** In order, each as full as it may be; at least one. */
function split(tensors: Tensors, bytesOf: (tensor: StoredTensor) => number, most: number): Tensors[] {
  const shards: Record<string, StoredTensor>[] = [{}];
  let filled = 0;
  for (const [name, tensor] of Object.entries(tensors)) {
    const bytes = bytesOf(tensor);
    if (filled > 0 && filled + bytes > most) {
      shards.push({});
      filled = 0;
    }
    (shards.at(-1) as Record<string, StoredTensor>)[name] = tensor;
    filled += bytes;
  }
  return shards;
}
