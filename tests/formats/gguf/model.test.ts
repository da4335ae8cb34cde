/** @file GGUF files as model folders: the same configuration and the same tensors as the checkpoint they were made from. */
import fc from 'fast-check';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type ModelConfig } from '../../../engine/index.js';
import { openModelFolder } from '../../../formats/index.js';
import { LatstreamError } from '../../../foundation/index.js';
import { converted } from '../../helpers/gguf-convert.js';
import { f32, ggufBytes } from '../../helpers/gguf.js';

const FAMILIES = ['llama2', 'llama3', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'phi3', 'gpt2', 'gpt_neox'];
const known = (family: string): string => join('tests/fixtures/families', family);

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'gguf-'));
});
afterAll(() => rm(place, { recursive: true }));

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(place, `${name}.gguf`);
  await writeFile(path, bytes);
  return path;
}

/** What decides the numbers: fresh weights are no matter of a file that has its own. */
function computed({ json: _, initializerRange: __, ...config }: ModelConfig): unknown {
  return config;
}

describe('a GGUF file', () => {
  it.each(FAMILIES)('gives the configuration and the tensors that %s had before', async (family) => {
    const path = await written(family, await converted(known(family)));
    const [before, after] = [await loadModel(known(family)), await loadModel(path)];
    expect(computed(after.config)).toEqual(computed(before.config));
    expect(Object.keys(after.parameters)).toEqual(Object.keys(before.parameters));
    for (const [name, { shape, data }] of Object.entries(before.parameters)) {
      const found = after.parameters[name]!;
      expect([name, found.shape]).toEqual([name, shape]);
      // Gemma's norms went through 1 + w, which rounds.
      if (family === 'gemma2' && name.includes('norm'))
        data.forEach((value, at) => expect(Math.abs(found.data[at]! - value)).toBeLessThan(2 ** -23));
      else expect(found.data).toEqual(data);
    }
  });

  it('is found alone in a folder, and lists the tensors it would read', async () => {
    const folder = join(place, 'alone');
    await mkdir(folder);
    await writeFile(join(folder, 'README.md'), 'words');
    await writeFile(join(folder, 'any-name.gguf'), await converted(known('llama3')));
    const [file, whole] = [await openModelFolder(folder), await openModelFolder(known('llama3'))];
    expect(new Map([...(await file.shapes())].sort())).toEqual(new Map([...(await whole.shapes())].sort()));
    expect(await file.tensors(['nothing'])).toEqual({});
    await writeFile(join(folder, 'another.gguf'), '');
    await expect(openModelFolder(folder)).rejects.toMatchObject({
      code: 'GGUF_SEVERAL',
      message: expect.stringContaining('another.gguf, any-name.gguf') as string,
    });
  });

  it('stands back where its folder has safetensors', async () => {
    const folder = join(place, 'both');
    await mkdir(folder);
    for (const file of ['a.gguf', 'model.safetensors']) await writeFile(join(folder, file), '');
    await writeFile(join(folder, 'config.json'), '{}');
    expect(await (await openModelFolder(folder)).text('config.json')).toBe('{}');
  });

  it('is refused where it holds what its architecture has no place for', async () => {
    const bytes = ggufBytes(
      { 'general.architecture': 'qwen2', 'qwen2.attention.head_count': 4 },
      { 'blk.0.attn_sinks.weight': f32([4], new Float32Array(4)) },
    );
    const model = await openModelFolder(await written('sinks', bytes));
    await expect(model.tensors(['x'])).rejects.toMatchObject({ code: 'GGUF_TENSOR' });
    const other = await written('mamba', ggufBytes({ 'general.architecture': 'mamba' }));
    await expect(loadModel(other)).rejects.toMatchObject({ code: 'GGUF_ARCHITECTURE' });
    const empty = await written('empty', ggufBytes({ 'general.architecture': 'llama' }));
    await expect(loadModel(empty)).rejects.toMatchObject({ code: 'GGUF_METADATA' });
  });

  it('loads or says in an error of its own what is wrong, whatever bytes of it are changed', async () => {
    const whole = await converted(known('llama3'), {
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': ['<unk>', '<s>', 'a', 'b', 'ab', '<0x41>', '▁'],
      'tokenizer.ggml.token_type': Int32Array.of(2, 3, 1, 1, 1, 6, 1),
      'tokenizer.ggml.scores': Float32Array.of(0, 0, -1, -2, -3, 0, -4),
      'tokenizer.chat_template': '{{ messages }}',
    });
    const header = Buffer.from(whole).indexOf('rope_freqs.weight') + 64;
    const edit = fc.record({
      at: fc.nat(header),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 255)),
    });
    const path = join(place, 'changed.gguf');
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const bytes = Buffer.from(whole);
        for (const { at, byte } of edits) bytes[at] = byte;
        await writeFile(path, bytes);
        const model = await openModelFolder(path);
        const asked = [
          () => loadModel(path),
          () => model.shapes(),
          () => model.text('tokenizer.json'),
          () => model.text('tokenizer_config.json'),
        ];
        for (const ask of asked)
          await ask().catch((error: unknown) => expect(error).toBeInstanceOf(LatstreamError));
      }),
      { numRuns: 200 },
    );
  });

  it('is refused where it claims more blocks than it has tensors, or a table that is none', async () => {
    const blocks = await converted(known('llama2'), { 'llama.block_count': 2 ** 31 });
    await expect(loadModel(await written('blocks', blocks))).rejects.toMatchObject({ code: 'GGUF_METADATA' });
    const heads = { 'llama.attention.head_count': 4, 'llama.block_count': 1, 'llama.embedding_length': 8 };
    const sizes = { 'llama.feed_forward_length': 8, 'llama.context_length': 8 };
    const table = ggufBytes(
      {
        'general.architecture': 'llama',
        ...heads,
        ...sizes,
        'llama.attention.layer_norm_rms_epsilon': 1e-5,
      },
      { 'rope_freqs.weight': f32([5000], new Float32Array(5000)) },
    );
    await expect(loadModel(await written('table', table))).rejects.toMatchObject({ code: 'GGUF_TENSOR' });
  });

  it('is refused where its rotary table is not one of Llama 3', async () => {
    const scaled = await converted(known('llama3'));
    const bytes = Buffer.from(scaled);
    const model = await openModelFolder(await written('whole', bytes));
    const config = JSON.parse((await model.text('config.json'))!) as { rope_scaling: unknown };
    expect(config.rope_scaling).toMatchObject({
      rope_type: 'llama3',
      factor: 8,
      original_max_position_embeddings: 16,
    });
    const table = Buffer.from(Float32Array.of(8).buffer);
    bytes.set(Buffer.from(Float32Array.of(3).buffer), bytes.lastIndexOf(table));
    const strange = await openModelFolder(await written('strange', bytes));
    await expect(strange.text('config.json')).rejects.toMatchObject({ code: 'GGUF_ROPE' });
  });
});
