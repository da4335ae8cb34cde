/** @file Models read with their matrices in 16 bits: the bits that narrowing would make, without a copy in float32. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeModel, measureLoading } from '../../../bench/loading.js';
import {
  HALF_TYPES,
  loadModel,
  narrowed,
  PRECISIONS,
  saveModel,
  type HalfType,
  type HostTensor,
  type Model,
  type Precision,
} from '../../../engine/index.js';
import { converted } from '../../helpers/gguf-convert.js';
import { tinyConfig, tinyModel } from './tiny.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latstream-halves-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What an engine would keep of a model that was read as float32. */
const narrow = (parameters: Model['parameters'], type: HalfType): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, tensor]: [string, HostTensor]) => [
      name,
      tensor.shape.length > 1 ? narrowed(tensor, type) : tensor,
    ]),
  );

async function agrees(path: string, type: HalfType): Promise<void> {
  const [wide, halves] = [await loadModel(path), await loadModel(path, type)];
  expect(halves).toEqual({ ...wide, parameters: narrow(wide.parameters, type) });
  expect(Object.keys(halves.parameters)).toEqual(Object.keys(wide.parameters));
}

describe.each(HALF_TYPES)('a model whose matrices are kept as %s', (type) => {
  it.each(PRECISIONS)(
    'has the bits that narrowing makes, from one file of %s and from shards',
    async (stored) => {
      const path = join(folder, `${stored}-as-${type}`);
      const model = tinyModel(7, { attention_bias: true });
      await saveModel(path, model, { type: stored });
      await agrees(path, type);
      await saveModel(`${path}-shards`, model, { type: stored, shardBytes: 4096 });
      await agrees(`${path}-shards`, type);
    },
  );

  it('has the same bits from a GGUF file', async () => {
    const path = join(folder, `${type}.gguf`);
    await writeFile(path, await converted('tests/fixtures/families/llama3'));
    await agrees(path, type);
  });

  it('has its tied head once, and one that differs twice', async () => {
    const tied = tinyModel(3, { tie_word_embeddings: true });
    const names = ['model.embed_tokens.weight', 'lm_head.weight'] as const;
    const [embedding] = names.map((name) => tied.parameters[name]) as [HostTensor];
    const negated = { ...embedding, data: embedding.data.map((value) => -value) };
    for (const [head, count] of [
      [embedding, 1],
      [negated, 2],
    ] as const) {
      const path = join(folder, `tied-${type}-${count}`);
      await saveModel(path, { ...tied, parameters: { ...tied.parameters, [names[1]]: head } });
      await agrees(path, type);
      const { parameters } = await loadModel(path, type);
      expect(names.filter((name) => name in parameters)).toHaveLength(count);
    }
  });
});

const withoutProc = process.platform !== 'linux';
if (withoutProc) process.stdout.write('peaks of memory skipped: no /proc\n');

const MAIN = 'dist/bench/loading.js';

describe.skipIf(withoutProc)('the process that loads a model', () => {
  const config = tinyConfig({
    vocab_size: 16384,
    hidden_size: 1024,
    intermediate_size: 2048,
    num_hidden_layers: 4,
    num_attention_heads: 8,
    num_key_value_heads: 2,
  });

  it.each([
    ['bfloat16', 'bfloat16'],
    ['float16', 'float16'],
    ['float32', 'bfloat16'],
    ['bfloat16', 'float16'],
  ] as const)('never holds more of %s kept as %s than that and its largest tensor', async (stored, kept) => {
    const made = await madeModel(config, stored satisfies Precision);
    try {
      const { kept_mb, largest_mb, peak_mb } = measureLoading(
        config,
        made,
        { stored, kept, way: 'kept' },
        MAIN,
      );
      expect(kept_mb).toBeGreaterThan(90);
      expect(peak_mb).toBeLessThan(kept_mb + largest_mb);
    } finally {
      await rm(made, { recursive: true });
    }
  });
});
