/** @file Models that are what an arm of another run ended with: the right weights, the same bits after a kill, clear refusals. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placed } from '../../../commands/run/places.js';
import { frozenModel, startingModel, type StartingModel } from '../../../commands/run/starting-model.js';
import {
  initialAdapters,
  createEngine,
  loadModel,
  onnxruntimeExecutor,
  saveModel,
  writeAdapters,
  type HalfTensor,
  type HostTensor,
  type Model,
} from '../../../engine/index.js';
import { readSafetensors } from '../../../formats/index.js';
import { loadRecipe, type Recipe } from '../../../recipes/index.js';
import { randomTensor } from '../../../testing/index.js';
import { cli, scratch } from '../../helpers/cli.js';

const { path } = scratch();
const ORGANISM = 'organism/model';
const LORA = { rank: 2, alpha: 6, projections: ['q_proj', 'down_proj'] };
const FULL = { defend: { train: { kind: 'full', layers: 'all' } } };

/** The beginning of a run: its recipe, with these arms, on this model. */
async function begun(out: string, model: Recipe['model'], over: Partial<Recipe> = {}): Promise<void> {
  const recipe = { ...(await loadRecipe('jailbreak')), model, arms: { lat: {}, full: FULL }, ...over };
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'recipe.json'), JSON.stringify(placed(recipe, out)));
  await writeFile(join(out, 'metrics.ndjson'), '');
}

/** Adapters in a run's arm, their `lora_B` as strong as given, and the mark of its end. */
async function arm(out: string, name: string, config: Model['config'], strength: number, seed = 0) {
  const made = Object.entries(initialAdapters(config, LORA, seed)).map(([key, { shape }]) => {
    const scale = key.endsWith('lora_B') ? strength : 0.5;
    return [key, randomTensor(shape, scale, seed, key)] as const;
  });
  const adapters = Object.fromEntries(made);
  await writeAdapters(join(out, name, 'adapter'), config, { lora: LORA, adapters });
  await finished(out, name);
  return adapters;
}

/** Every parameter as a digest of its bits: arrays this large take the matcher seconds. */
const bits = (parameters: Model<HostTensor | HalfTensor>['parameters']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [name, createHash('sha256').update(shape.join()).update(bytes).digest('hex')];
    }),
  );

const finished = async (out: string, name: string): Promise<void> => {
  await mkdir(join(out, name), { recursive: true });
  await writeFile(join(out, name, 'evaluation.json'), '{"attacks":{},"benign":null}');
};
const opened = (model: Recipe['model']): Promise<StartingModel> =>
  startingModel({ name: 'test', seed: 0, executor: 'onnxruntime', threads: 1, model });
const ofRun = (out: string, name: string) => opened({ kind: 'run', path: out, arm: name });
const organism = { kind: 'directory', path: ORGANISM } as const;

describe('the model of a run', () => {
  it('is its base where adapters have no strength', async () => {
    const base = await loadModel(ORGANISM);
    const out = path('weak');
    await begun(out, organism);
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), async (seed) => {
        await arm(out, 'lat', base.config, 0, seed);
        expect(bits((await ofRun(out, 'lat')).parameters)).toEqual(bits(base.parameters));
      }),
      { numRuns: 3 },
    );
    expect(bits((await ofRun(out, 'base')).parameters)).toEqual(bits(base.parameters));
    expect(await ofRun(out, 'base')).toMatchObject({ directory: join(process.cwd(), ORGANISM) });
  });

  it('has α/rank·B·A on its adapted matrices and nothing on others, as `--adapter` has', async () => {
    const base = await loadModel(ORGANISM);
    const out = path('strong');
    await begun(out, organism);
    const adapters = await arm(out, 'lat', base.config, 0.1);
    const { parameters } = await ofRun(out, 'lat');
    const module = 'model.layers.1.mlp.down_proj';
    const [A, B, before, after] = [
      ...['A', 'B'].map((which) => adapters[`${module}.lora_${which}`]),
      ...[base.parameters, parameters].map((of) => of[`${module}.weight`]),
    ] as [HostTensor, HostTensor, HostTensor, HostTensor];
    const inputs = before.shape[1]!;
    for (const [row, column] of [
      [0, 0],
      [3, 100],
      [127, 319],
    ] as const) {
      const change = [0, 1].reduce((sum, r) => sum + B.data[row * 2 + r]! * A.data[r * inputs + column]!, 0);
      const at = row * inputs + column;
      expect(after.data[at]! - before.data[at]!).toBeCloseTo(3 * change, 5);
    }
    expect(parameters['model.layers.1.mlp.up_proj.weight']).toEqual(
      base.parameters['model.layers.1.mlp.up_proj.weight'],
    );

    await writeFile(path('tokens.json'), '[[1,2,3,4]]');
    const logits = async (name: string, ...model: string[]): Promise<ArrayLike<number>> => {
      const file = path(`${name}.safetensors`);
      const given = ['forward', '--tokens', path('tokens.json'), '--out', file, '--model', ...model];
      expect(await cli(given)).toMatchObject({ code: 0 });
      return (await readSafetensors(file)).tensors['logits']!.data;
    };
    const [named, beside, plain] = [
      await logits('named', join(out, 'lat')),
      await logits('beside', ORGANISM, '--adapter', join(out, 'lat/adapter')),
      await logits('plain', ORGANISM),
    ];
    const distance = (other: ArrayLike<number>) =>
      Math.max(...Array.from(named, (value, at) => Math.abs(value - other[at]!)));
    expect(distance(beside)).toBeLessThan(1e-3);
    expect(distance(plain)).toBeGreaterThan(0.1);
  });

  it('is what was trained in full, or prepared, or what a run before it ended with', async () => {
    const { config, parameters } = await loadModel(ORGANISM);
    const other = Object.fromEntries(
      Object.entries(parameters).map(([name, { shape }]) => [name, randomTensor(shape, 0.1, 1, name)]),
    );
    const [first, second] = [path('first'), path('second')];
    await begun(first, organism, { prepare: {} });
    for (const folder of ['prepare', 'full']) {
      await finished(first, folder);
      await mkdir(join(first, folder, 'model'));
    }
    await saveModel(join(first, 'prepare/model'), { config, parameters });
    await saveModel(join(first, 'full/model'), { config, parameters: other });
    expect(bits((await ofRun(first, 'base')).parameters)).toEqual(bits(parameters));
    expect(bits((await ofRun(first, 'full')).parameters)).toEqual(bits(other));
    await begun(second, { kind: 'run', path: first, arm: 'full' });
    await arm(second, 'lat', config, 0);
    expect(bits((await ofRun(second, 'lat')).parameters)).toEqual(bits(other));
    expect(bits((await opened({ kind: 'directory', path: join(second, 'base') })).parameters)).toEqual(
      bits(other),
    );
  });

  it('for an engine that keeps 16 bits is read in them, whatever it is, with the bits that narrowing makes', async () => {
    const { config, parameters } = await loadModel(ORGANISM);
    const out = path('narrow');
    await begun(out, organism, { prepare: {} });
    for (const folder of ['prepare', 'full']) {
      await finished(out, folder);
      await mkdir(join(out, folder, 'model'), { recursive: true });
      await saveModel(join(out, folder, 'model'), { config, parameters }, { type: 'bfloat16' });
    }
    await arm(out, 'lat', config, 0.1);
    const engine = createEngine(onnxruntimeExecutor({ threads: 1 }), { weights: 'float16' });
    const arms = ['base', 'full', 'lat'].map((name) => ({ kind: 'run' as const, path: out, arm: name }));
    for (const model of [organism, ...arms]) {
      const beginning = { name: 'test', seed: 0, executor: 'onnxruntime', threads: 1, model } as const;
      const frozen = await frozenModel({ ...beginning, weights: 'float16' });
      const kept = engine.uploadWeights((await startingModel(beginning)).parameters);
      expect(bits(engine.uploadWeights(frozen.parameters) as never)).toEqual(bits(kept as never));
      const types = new Set(Object.values(frozen.parameters).map(({ dtype }) => dtype));
      expect(types.has('float16')).toBe(model.kind === 'directory' || model.arm !== 'lat');
    }
    await engine.dispose();
  });

  it.each([
    ['RUN_MISSING', 'nowhere', 'lat'],
    ['RUN_ARM_MISSING', 'begun', 'lot'],
    ['RUN_ARM_MISSING', 'begun', '__proto__'],
    ['RUN_ARM_UNFINISHED', 'begun', 'lat'],
    ['RUN_ARM_UNFINISHED', 'preparing', 'base'],
    ['RUN_CIRCULAR', 'itself', 'base'],
  ])('refuses with %s run %s, arm %s', async (code, out, name) => {
    await begun(path('begun'), organism);
    await begun(path('preparing'), organism, { prepare: {} });
    await begun(path('itself'), { kind: 'run', path: path('itself'), arm: 'base' });
    await expect(ofRun(path(out), name)).rejects.toMatchObject({ code });
  });
});

describe('train', () => {
  it(
    "goes on from another run's arm, and after a kill ends with the same bits",
    { timeout: 120_000 },
    async () => {
      const quick = ['evaluate.harmful=null', 'evaluate.benign=null', 'arms={"lat":{}}', 'steps=2'];
      const set = (...more: string[]): string[] => [...quick, ...more].flatMap((each) => ['--set', each]);
      const train = (out: string, env = {}, ...more: string[]) =>
        cli(['train', 'tiny', '--port', '0', '--out', path(out), ...set(...more)], env);
      expect(await train('source')).toMatchObject({ code: 0 });
      const from = `model=${JSON.stringify({ kind: 'run', path: path('source'), arm: 'lat' })}`;
      const go = (out: string, env = {}) => train(out, env, from, 'checkpoint.every=1');
      expect(await go('whole')).toMatchObject({ code: 0 });
      expect((await go('killed', { LATSTREAM_KILL_AT: 'defend:2' })).code).toBe(5);
      const resumed = await cli(['train', '--resume', path('killed'), '--port', '0']);
      expect(resumed).toMatchObject({ code: 0 });
      expect(resumed.stderr).toContain('resuming after step 1');
      const bytes = (out: string) => readFile(path(`${out}/lat/adapter/adapter_model.safetensors`));
      expect((await bytes('killed')).equals(await bytes('whole'))).toBe(true);
      expect((await bytes('source')).equals(await bytes('whole'))).toBe(false);
      const told = JSON.parse(
        await readFile(path('whole/lat/adapter/adapter_config.json'), 'utf8'),
      ) as object;
      expect(told).toMatchObject({ base_model_name_or_path: path('source/lat') });
    },
  );
});
