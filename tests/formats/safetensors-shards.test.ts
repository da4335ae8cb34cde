/** @file Shards hold every tensor once, within their size, and the index says where. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors, writeShards, type StoredTensor } from '../../formats/index.js';

const tensors = fc
  .array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 8 })
  .map((sizes) =>
    Object.fromEntries(
      sizes.map((size, index): [string, StoredTensor] => [
        `t${index}`,
        { dtype: 'float32', shape: [size], data: new Float32Array(size).fill(index) },
      ]),
    ),
  );

describe('writeShards', () => {
  it('every tensor is in the shard that the index names, and no shard of several tensors is too large', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, fc.integer({ min: 1, max: 120 }), async (written, mostBytes) => {
        const folder = await mkdtemp(join(tmpdir(), 'latstream-shards-'));
        try {
          const files = await writeShards(folder, written, { floats: 'F32', mostBytes });
          const shards = files.filter((file) => file.endsWith('.safetensors'));
          const found: Record<string, StoredTensor> = {};
          const map: Record<string, string> = {};
          for (const file of shards) {
            const { tensors: held } = await readSafetensors(join(folder, file));
            const bytes = Object.values(held).reduce((sum, { data }) => sum + 4 * data.length, 0);
            if (Object.values(held).filter(({ data }) => data.length > 0).length > 1)
              expect(bytes).toBeLessThanOrEqual(mostBytes);
            for (const name of Object.keys(held)) map[name] = file;
            expect(Object.keys(held).filter((name) => name in found)).toEqual([]);
            Object.assign(found, held);
          }
          expect(found).toEqual(written);
          if (shards.length === 1) {
            expect(files).toEqual(['model.safetensors']);
            return;
          }
          const index = JSON.parse(await readFile(join(folder, files.at(-1)!), 'utf8')) as object;
          const total = Object.values(written).reduce((sum, { data }) => sum + 4 * data.length, 0);
          expect(index).toEqual({ metadata: { total_size: total }, weight_map: map });
        } finally {
          await rm(folder, { recursive: true });
        }
      }),
      { numRuns: 30 },
    );
  });
});
