/** @file Model folders: one file or shards, and what is wrong with the others. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadModel, modelKey, saveModel } from '../../../engine/index.js';
import { readSafetensors, writeSafetensors } from '../../../formats/index.js';
import { tinyModel } from './tiny.js';

const known = 'tests/fixtures/families/llama3';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latstream-model-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A copy of the known model with some tensors changed. */
async function changed(change: (tensors: Awaited<ReturnType<typeof readSafetensors>>['tensors']) => object) {
  const { tensors } = await readSafetensors(join(known, 'model.safetensors'));
  await cp(join(known, 'config.json'), join(folder, 'config.json'));
  await writeSafetensors(join(folder, 'model.safetensors'), change(tensors) as typeof tensors);
}
const refusal = (code: string): object => expect.objectContaining({ code }) as object;

describe('loadModel', () => {
  it('reads shards as it reads one file', async () => {
    const { tensors } = await readSafetensors(join(known, 'model.safetensors'));
    const names = Object.keys(tensors);
    const weight_map: Record<string, string> = {};
    for (const shard of [0, 1]) {
      const file = `model-${shard}.safetensors`;
      const part = names.filter((_, index) => index % 2 === shard);
      part.forEach((name) => (weight_map[name] = file));
      await writeSafetensors(
        join(folder, file),
        Object.fromEntries(part.map((name) => [name, tensors[name]!])),
      );
    }
    await cp(join(known, 'config.json'), join(folder, 'config.json'));
    await writeFile(
      join(folder, 'model.safetensors.index.json'),
      JSON.stringify({ metadata: {}, weight_map }),
    );
    const [whole, sharded] = [await loadModel(known), await loadModel(folder)];
    expect(sharded).toEqual({ ...whole, directory: folder });
    await rm(join(folder, 'model-1.safetensors'));
    await expect(loadModel(folder)).rejects.toThrow(refusal('MODEL_FILE_MISSING'));
  });

  it('reads what saveModel wrote', async () => {
    const model = tinyModel(5, { attention_bias: true });
    await saveModel(folder, model);
    const read = await loadModel(folder);
    expect(modelKey(read.config)).toBe(modelKey(model.config));
    expect(read.parameters).toEqual(model.parameters);
  });

  it('refuses weights that float16 cannot hold', async () => {
    const model = tinyModel(5);
    const [name] = Object.keys(model.parameters);
    const large = { ...model.parameters[name!]!, data: model.parameters[name!]!.data.map(() => 7e4) };
    const save = saveModel(
      folder,
      { ...model, parameters: { ...model.parameters, [name!]: large } },
      { type: 'float16' },
    );
    await expect(save).rejects.toThrow(refusal('MODEL_RANGE'));
  });

  it('ignores tensors that the decoder has no use for', async () => {
    const extra = { dtype: 'int32' as const, shape: [1], data: Int32Array.of(1) };
    await changed((tensors) => ({ ...tensors, 'model.rotary_emb.inv_freq': extra }));
    expect((await loadModel(folder)).parameters).not.toHaveProperty(['model.rotary_emb.inv_freq']);
  });

  it('refuses a folder without configuration or weights', async () => {
    await expect(loadModel(folder)).rejects.toThrow(refusal('MODEL_FILE_MISSING'));
    await cp(join(known, 'config.json'), join(folder, 'config.json'));
    await expect(loadModel(folder)).rejects.toThrow(/model\.safetensors: expected a file/);
    await writeFile(join(folder, 'config.json'), '{');
    await expect(loadModel(folder)).rejects.toThrow(refusal('MODEL_CONFIG'));
  });

  it('names the tensor that is missing', async () => {
    await changed(({ 'model.norm.weight': _, ...rest }) => rest);
    await expect(loadModel(folder)).rejects.toThrow(refusal('MODEL_MISSING_TENSOR'));
    await expect(loadModel(folder)).rejects.toThrow('model.norm.weight');
  });

  it('names the tensor of the wrong shape', async () => {
    await changed((tensors) => ({
      ...tensors,
      'model.norm.weight': { dtype: 'float32', shape: [31], data: new Float32Array(31) },
    }));
    await expect(loadModel(folder)).rejects.toThrow(refusal('MODEL_TENSOR_SHAPE'));
    await expect(loadModel(folder)).rejects.toThrow(
      /model\.norm\.weight: expected float \[32\], got float32 \[31\]/,
    );
  });
});
