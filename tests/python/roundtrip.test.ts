/** @file Adapters and merged checkpoints of every family, to transformers + PEFT and back. Needs LATSTREAM_PEER_PYTHON. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPeer } from '../../bench/peer.js';
import {
  adapterShapes,
  createEngine,
  float32,
  hiddenStates,
  int32,
  loadModel,
  logitsAt,
  mergedParameters,
  modelKey,
  onnxruntimeExecutor,
  projectionNames,
  readAdapters,
  saveModel,
  writeAdapters,
  type Adapters,
  type HostTensor,
  type Model,
  type Tensor,
  type TokenBatch,
} from '../../engine/index.js';
import { readSafetensors, writeSafetensors } from '../../formats/index.js';
import { draws } from '../../foundation/index.js';
import { checkpoints } from '../parity/fixtures.js';

const named = process.env['LATSTREAM_PEER_PYTHON'] !== undefined;
const peer = named ? findPeer(process.cwd()) : undefined;
if (!peer) process.stdout.write('round trips with Python are skipped: LATSTREAM_PEER_PYTHON names none\n');

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
const families = checkpoints('families', ['config.json', 'model.safetensors']);
const [ROWS, COLUMNS] = [2, 14];
let folder: string;
let figures: Record<string, { adapter: number; merged: number; effect: number }>;

/** Logits under adapters, and the tokens. */
async function ours({ config, parameters }: Model, { lora, adapters }: Adapters) {
  const shape = [ROWS, COLUMNS];
  const ids = (of: (column: number) => number) =>
    int32(
      shape,
      Array.from({ length: ROWS * COLUMNS }, (_, index) => of(index % COLUMNS)),
    );
  const draw = draws(3, 'round trip');
  const batch = {
    tokens: ids(() => Math.floor(draw.uniform() * config.vocabularySize)),
    positions: ids((column) => column),
    segments: ids(() => 1),
  };
  type Args = { parameters: Record<string, Tensor>; adapters: Record<string, Tensor>; batch: TokenBatch };
  const { logits } = (await engine.run(
    {
      name: `round trip ${modelKey(config)}`,
      compute: (args: never) => {
        const { parameters, adapters, batch } = args as Args;
        const weights = { parameters, adapters, adapterScale: lora.alpha / lora.rank };
        return { logits: logitsAt(config, parameters, hiddenStates({ config }, weights, batch)) };
      },
    },
    { parameters, adapters, batch } as never,
  )) as { logits: never };
  const { data } = await engine.download(logits);
  return {
    tokens: batch.tokens,
    logits: float32([ROWS, COLUMNS, config.vocabularySize], data as Float32Array),
  };
}

function randomAdapters({ config }: Model): Adapters {
  const lora = { rank: 2, alpha: 5, projections: projectionNames(config) };
  const adapters = Object.entries(adapterShapes(config, lora)).map(([name, shape]) => {
    const draw = draws(5, 'round trip', name);
    const size = shape[0]! * shape[1]!;
    return [
      name,
      float32(
        shape,
        Float32Array.from({ length: size }, () => 0.3 * draw.normal()),
      ),
    ] as const;
  });
  return { lora, adapters: Object.fromEntries(adapters) };
}

function python(step: 'make' | 'check'): unknown {
  const args = ['tests/python/roundtrip.py', step, folder];
  const { status, stdout, stderr } = spawnSync(peer!.python, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

const gap = (a: HostTensor, b: HostTensor): number =>
  Array.from(a.data).reduce((worst, value, index) => Math.max(worst, Math.abs(value - b.data[index]!)), 0);

describe.skipIf(!peer)('round trips with Python (needs LATSTREAM_PEER_PYTHON)', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latstream-roundtrip-'));
    for (const { name, directory } of families) {
      const at = join(folder, name);
      await mkdir(at);
      const model = await loadModel(directory);
      const adapters = randomAdapters(model);
      await writeSafetensors(join(at, 'ours.safetensors'), await ours(model, adapters));
      await writeAdapters(join(at, 'ours'), model.config, adapters, resolve(directory));
      const parameters = await mergedParameters(engine, model.config, model.parameters, adapters);
      await saveModel(join(at, 'merged'), { config: model.config, parameters }, { shardBytes: 60_000 });
      const told = { model: resolve(directory), projections: adapters.lora.projections };
      await writeFile(join(at, 'model.json'), JSON.stringify(told));
    }
    python('make');
    figures = python('check') as typeof figures;
    process.stdout.write(`${JSON.stringify(figures, null, 1)}\n`);
  }, 300_000);
  afterAll(async () => {
    await engine.dispose();
    await rm(folder, { recursive: true });
  });

  it.each(families.map(({ name }) => name))('%s: an adapter written here gives the same logits', (name) => {
    expect(figures[name]!.adapter).toBeLessThan(1e-4);
    expect(figures[name]!.effect).toBeGreaterThan(1e-2);
  });

  it.each(families.map(({ name }) => name))('%s: so does the merged checkpoint', (name) => {
    expect(figures[name]!.merged).toBeLessThan(1e-4);
  });

  it.each(families)(
    '$name: an adapter written by PEFT gives the same logits',
    async ({ name, directory }) => {
      const model = await loadModel(directory);
      const theirs = await readAdapters(join(folder, name, 'theirs'), model.config);
      const { tensors } = await readSafetensors(join(folder, name, 'theirs.safetensors'));
      expect(gap((await ours(model, theirs)).logits, tensors['logits']!)).toBeLessThan(1e-4);
    },
  );
});
