/** @file `latstream export` as users run it: what is in the folder, and what it refuses. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { initialAdapters, loadModel, modelKey, writeAdapters, type Model } from '../../engine/index.js';
import { randomTensor } from '../../testing/index.js';
import { cli, scratch } from '../helpers/cli.js';

const { path } = scratch();
const GPT2 = 'tests/fixtures/families/gpt2';

/** Adapters of all `c_proj` of a model, in a folder. */
async function adaptersOf({ config }: Model, folder: string) {
  const lora = { rank: 2, alpha: 6, projections: ['c_proj'] };
  const adapters = Object.entries(initialAdapters(config, lora, 1)).map(
    ([name, { shape }]) => [name, randomTensor(shape, 0.5, 1, name)] as const,
  );
  await writeAdapters(folder, config, { lora, adapters: Object.fromEntries(adapters) });
  return Object.fromEntries(adapters);
}

describe('latstream export', () => {
  it('merges adapters into shards with an index, and keeps the entries of config.json', async () => {
    const base = await loadModel(GPT2);
    const adapters = await adaptersOf(base, path('adapter'));
    const out = path('merged');
    const args = ['export', '--model', GPT2, '--adapter', path('adapter'), '--out', out];
    const { code, stdout, stderr } = await cli([...args, '--max-shard-size', '60KB', '--json']);
    expect(code, stderr).toBe(0);
    const told = JSON.parse(stdout) as { files: string[]; parameters: number; dtype: string };
    expect((await readdir(out)).sort()).toEqual([...told.files].sort());
    expect(told.files).toEqual(
      expect.arrayContaining(['model.safetensors.index.json', 'config.json', 'generation_config.json']),
    );
    expect(
      told.files.filter((file) => /^model-0000\d-of-0000\d\.safetensors$/.test(file)).length,
    ).toBeGreaterThan(2);

    const merged = await loadModel(out);
    expect(modelKey(merged.config)).toBe(modelKey(base.config));
    expect(merged.config.json).toMatchObject(base.config.json);
    const name = 'transformer.h.1.mlp.c_proj';
    const [A, B] = ['A', 'B'].map((which) => adapters[`${name}.lora_${which}`]!);
    const at = (model: Model, row: number, column: number) =>
      model.parameters[`${name}.weight`]!.data[row * 32 + column]!;
    for (const [input, output] of [
      [0, 0],
      [100, 3],
      [127, 31],
    ] as const) {
      const change = [0, 1].reduce((sum, r) => sum + B!.data[output * 2 + r]! * A!.data[r * 128 + input]!, 0);
      expect(at(merged, input, output) - at(base, input, output)).toBeCloseTo(3 * change, 5);
    }
    const untouched = 'transformer.h.1.mlp.c_fc.weight';
    expect(merged.parameters[untouched]).toEqual(base.parameters[untouched]);
  });

  it('copies the tokenizer along, and writes the type asked for', async () => {
    const out = path('organism');
    const { code, stderr } = await cli([
      'export',
      '--model',
      'organism/model',
      '--out',
      out,
      '--dtype',
      'bfloat16',
    ]);
    expect(code, stderr).toBe(0);
    for (const file of ['tokenizer.json', 'tokenizer_config.json', 'model.safetensors'])
      expect(await readdir(out)).toContain(file);
    const json = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as object;
    expect(json).toMatchObject({ dtype: 'bfloat16' });
    const [ours, theirs] = [await loadModel(out), await loadModel('organism/model')];
    for (const [name, { data }] of Object.entries(theirs.parameters))
      expect(data.every((value, index) => Math.abs(ours.parameters[name]!.data[index]! - value) <= Math.abs(value) / 200)).toBe(true); // prettier-ignore
  });

  it('refuses a directory that holds something, and sizes that are none', async () => {
    const taken = path('taken');
    await mkdir(taken);
    await writeFile(join(taken, 'note'), 'mine');
    const { code, stderr } = await cli(['export', '--model', GPT2, '--out', taken, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'OUT_NOT_EMPTY' } });
    expect(await readdir(taken)).toEqual(['note']);
    for (const size of ['0', '5XB', '-1GB'])
      expect(
        (await cli(['export', '--model', GPT2, '--out', path('x'), `--max-shard-size=${size}`])).code,
      ).toBe(2);
  });
});
