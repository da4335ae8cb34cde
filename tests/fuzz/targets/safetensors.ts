/** @file Safetensors files: what is read lies within the file and does not overlap. */
import fc from 'fast-check';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
  type StoredTensor,
} from '../../../formats/index.js';
import { byteMutation } from '../bytes.js';
import { jsonMutation } from '../json.js';
import { Broken, type Mutation, type Target } from '../target.js';

const FILE = 'x.safetensors';

const tensors: Readonly<Record<string, StoredTensor>> = {
  weight: { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  'layers.0.bias': { dtype: 'float32', shape: [2], data: Float32Array.of(0.5, -1) },
  ids: { dtype: 'int32', shape: [3], data: Int32Array.of(1, 2, 3) },
  none: { dtype: 'float32', shape: [0], data: new Float32Array() },
};

/** Damage to the JSON of the header alone; the length before it fits. */
export const headerMutation: fc.Arbitrary<Mutation> = jsonMutation.map((mutate) => (bytes, other) => {
  if (bytes.length < 8) return bytes;
  const end = 8 + Number(Buffer.from(bytes).readBigUInt64LE(0));
  if (end > bytes.length) return bytes;
  const header = mutate(bytes.subarray(8, end), other);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, bytes.subarray(end)]);
});

export const safetensorsMutation: fc.Arbitrary<Mutation> = fc.oneof(byteMutation, headerMutation);

export const safetensors: Target = {
  name: 'safetensors',
  weight: 4,
  async seeds(scratch) {
    const path = join(scratch, 'seed');
    const written = async (...options: [Parameters<typeof writeSafetensors>[2]?]): Promise<Uint8Array> => {
      await writeSafetensors(path, tensors, ...options);
      return readFile(path);
    };
    return [
      { [FILE]: await written() },
      { [FILE]: await written({ floats: 'BF16', metadata: { format: 'pt' } }) },
      { [FILE]: await written({ floats: 'F16' }) },
    ];
  },
  mutations: () => safetensorsMutation,
  async run(folder) {
    const path = join(folder, FILE);
    const { entries } = await readSafetensorsHeader(path);
    const { size } = await stat(path);
    let reached = 0;
    for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
      if (begin < reached || end < begin || end > size)
        throw new Broken(`tensor ${name} at ${begin} to ${end}`);
      reached = end;
    }
    const read = await readSafetensors(path);
    for (const [name, { shape, data }] of Object.entries(read.tensors))
      if (shape.reduce((product, extent) => product * extent, 1) !== data.length)
        throw new Broken(`tensor ${name} of ${data.length} values`);
    if (Object.keys(read.tensors).length !== entries.length) throw new Broken('tensors lost');
  },
};
