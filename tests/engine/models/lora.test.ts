/** @file Adapters: nothing at first, the same merged as beside, and PEFT's files. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  adaptedModules,
  adapterScale,
  adapterShapes,
  hiddenStates,
  initialAdapters,
  loadModel,
  mergeAdapters,
  projectionNames,
  readAdapters,
  writeAdapters,
  parseProjection,
  type ModelConfig,
  type Tensor,
  type TokenBatch,
} from '../../../engine/index.js';
import { writeSafetensors } from '../../../formats/index.js';
import { batchOf, evaluate, FAMILIES, gap, noise, tinyConfig, tinyModel } from './tiny.js';

const projectionsOf = (config: ModelConfig) => fc.subarray(projectionNames(config), { minLength: 1 });
const projections = projectionsOf(tinyConfig());
type Args = { parameters: Record<string, Tensor>; adapters: Record<string, Tensor>; batch: TokenBatch };

describe('initialAdapters', () => {
  it('change nothing yet: A within ±1/√in and not zero, B zero', () => {
    fc.assert(
      fc.property(projections, fc.integer({ min: 1, max: 8 }), fc.nat(), (chosen, rank, seed) => {
        const config = tinyConfig();
        const adapters = initialAdapters(config, { rank, projections: chosen }, seed);
        expect(Object.keys(adapters)).toHaveLength(2 * adaptedModules(config, chosen).size);
        for (const [name, { shape, data }] of Object.entries(adapters)) {
          expect(shape).toEqual(adapterShapes(config, { rank, projections: chosen })[name]);
          const bound = name.endsWith('A') ? 1 / Math.sqrt(shape[1]!) : 0;
          expect(data.every((value) => Math.abs(value) <= bound)).toBe(true);
          expect(data.some((value) => value !== 0)).toBe(name.endsWith('A'));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuse a projection that blocks do not have', () => {
    const make = () => initialAdapters(tinyConfig(), { rank: 1, projections: ['q_proj', 'lm_head'] }, 0);
    expect(make).toThrow(expect.objectContaining({ code: 'LORA_UNKNOWN_PROJECTION' }));
  });
});

describe('mergeAdapters', () => {
  it.each(Object.entries(FAMILIES))(
    'merged weights of %s compute what weights and adapters compute side by side',
    async (_, family) => {
      await fc.assert(
        fc.asyncProperty(projectionsOf(tinyConfig(family)), fc.nat(99), async (chosen, seed) => {
          const { config, parameters } = tinyModel(seed, family);
          const lora = { rank: 2, alpha: 3, projections: chosen };
          const shapes = Object.entries(adapterShapes(config, lora));
          const adapters = Object.fromEntries(shapes.map(([name, shape]) => [name, noise(seed, shape, 0.4)]));
          const batch = batchOf([[[1, 0, 1], [4, 1, 1], [2, 2, 1]]]); // prettier-ignore
          const { beside, merged, without } = await evaluate(
            { parameters, adapters, batch },
            (args: Args) => {
              const weights = {
                parameters: args.parameters,
                adapters: args.adapters,
                adapterScale: adapterScale(lora),
              };
              const run = (given: Pick<typeof weights, 'parameters'>) =>
                hiddenStates({ config }, given, args.batch);
              return {
                beside: run(weights),
                merged: run({ parameters: mergeAdapters(config, weights) }),
                without: run({ parameters: args.parameters }),
              };
            },
          );
          expect(gap(beside, merged)).toBeLessThan(1e-4);
          expect(gap(beside, without)).toBeGreaterThan(1e-3);
        }),
        { numRuns: 4 },
      );
    },
  );

  it('refuses adapters of modules that the model does not have, and halves of adapters', () => {
    const config = tinyConfig();
    const merge = (name: string) =>
      mergeAdapters(config, { parameters: {}, adapters: { [name]: null as never } });
    for (const name of ['model.layers.2.self_attn.q_proj.lora_A', 'model.layers.0.self_attn.q_proj.lora_A'])
      expect(() => merge(name)).toThrow(expect.objectContaining({ code: 'LORA_MISSING_TENSOR' }));
  });
});

describe('parseProjection', () => {
  const paths = (family: string, name: string) =>
    parseProjection(tinyConfig(FAMILIES[family]), name).map(({ path }) => path);

  it("takes a family's module names, and the short ones where there is such a module", () => {
    expect(paths('llama', 'q')).toEqual(['self_attn.q_proj']);
    expect(paths('llama', 'gate_proj')).toEqual(['mlp.gate_proj']);
    expect(paths('gpt2', 'c_proj')).toEqual(['attn.c_proj', 'mlp.c_proj']);
    expect(paths('gpt2', 'o')).toEqual(['attn.c_proj']);
    expect(paths('gpt2', 'up')).toEqual(['mlp.c_fc']);
    expect(paths('gpt_neox', 'dense')).toEqual(['attention.dense']);
    expect(paths('phi3', 'gate_up_proj')).toEqual(['mlp.gate_up_proj']);
    expect(() => paths('phi3', 'q')).toThrow(/qkv_proj/);
    expect(() => paths('llama', 'proj')).toThrow(
      expect.objectContaining({ code: 'LORA_UNKNOWN_PROJECTION' }),
    );
  });

  it('every module of every family has a name of its own', () => {
    for (const family of Object.values(FAMILIES)) {
      const config = tinyConfig(family);
      const found = projectionNames(config).map((name) => parseProjection(config, name));
      expect(found).toEqual(config.modules.linears.map((linear) => [linear]));
    }
  });
});

describe('adapter folders', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latstream-adapters-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const config = tinyConfig();
  const lora = { rank: 2, alpha: 8, projections: ['q_proj', 'down_proj'] };
  const adapters = initialAdapters(config, lora, 7);
  const refusal = (code: string): object => expect.objectContaining({ code }) as object;
  const rewrite = async (changes: object) => {
    const path = join(folder, 'adapter_config.json');
    const json = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...json, ...changes }));
  };

  it('read back as they were written', async () => {
    await writeAdapters(folder, config, { lora, adapters }, 'some/model');
    expect(await readAdapters(folder, config)).toEqual({ lora, adapters });
  });

  it.each(Object.entries(FAMILIES))('of %s read back as they were written', async (_, family) => {
    const config = tinyConfig(family);
    const all = { rank: 2, alpha: 8, projections: projectionNames(config) };
    await writeAdapters(folder, config, { lora: all, adapters: initialAdapters(config, all, 7) });
    const read = await readAdapters(folder, config);
    expect(read).toEqual({ lora: all, adapters: initialAdapters(config, all, 7) });
    const json = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8')) as object;
    expect(json).toMatchObject({ fan_in_fan_out: config.modelType === 'gpt2' });
  });

  it('read tensors that PEFT wrote', async () => {
    const { config: fixture } = await loadModel('tests/fixtures/lat/model');
    const six = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj'];
    await writeAdapters(folder, config, { lora: { rank: 4, alpha: 8, projections: six }, adapters: {} });
    await cp('tests/fixtures/lat/adapters_init.safetensors', join(folder, 'adapter_model.safetensors'));
    const read = await readAdapters(folder, fixture);
    expect(read.lora).toEqual({ rank: 4, alpha: 8, projections: six });
    expect(Object.keys(read.adapters)).toHaveLength(2 * 6 * fixture.layers);
  });

  it('express rank-stabilised scaling as an equal alpha', async () => {
    await writeAdapters(folder, config, { lora, adapters });
    await rewrite({ use_rslora: true });
    expect(adapterScale((await readAdapters(folder, config)).lora)).toBeCloseTo(8 / Math.sqrt(2), 10);
  });

  it.each([
    [{ use_dora: true }, 'PEFT_UNSUPPORTED'],
    [{ bias: 'all' }, 'PEFT_UNSUPPORTED'],
    [{ peft_type: 'IA3' }, 'PEFT_UNSUPPORTED'],
    [{ rank_pattern: { q_proj: 4 } }, 'PEFT_UNSUPPORTED'],
    [{ r: 0 }, 'PEFT_CONFIG'],
    [{ lora_alpha: null }, 'PEFT_CONFIG'],
    [{ r: 3 }, 'MODEL_TENSOR_SHAPE'],
  ])('refuse %o', async (changes, code) => {
    await writeAdapters(folder, config, { lora, adapters });
    await rewrite(changes);
    await expect(readAdapters(folder, config)).rejects.toThrow(refusal(code));
  });

  it('refuse adapters of another model, or with tensors missing', async () => {
    await writeAdapters(folder, config, { lora, adapters });
    await expect(readAdapters(folder, tinyConfig({ num_hidden_layers: 1 }))).rejects.toThrow(
      refusal('MODEL_MISSING_TENSOR'),
    );
    await expect(readAdapters(folder, tinyConfig({ hidden_size: 12 }))).rejects.toThrow(
      refusal('MODEL_TENSOR_SHAPE'),
    );
    const halves = Object.entries(adapters).filter(([name]) => !name.endsWith('0.self_attn.q_proj.lora_B'));
    await writeSafetensors(
      join(folder, 'adapter_model.safetensors'),
      Object.fromEntries(halves.map(([name, tensor]) => [`base_model.model.${name}.weight`, tensor])),
    );
    await expect(readAdapters(folder, config)).rejects.toThrow(refusal('MODEL_MISSING_TENSOR'));
    await rm(join(folder, 'adapter_model.safetensors'));
    await expect(readAdapters(folder, config)).rejects.toThrow(refusal('MODEL_FILE_MISSING'));
  });
});
