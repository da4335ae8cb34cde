/** @file Cached generation of every family against full recomputation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine, generate, tfjsExecutor, type HostTensor } from '../../../engine/index.js';
import { recomputed } from './recomputed.js';
import { FAMILIES, noise, tinyModel } from './tiny.js';

const engine = createEngine(tfjsExecutor());
const prompts = fc.array(fc.array(fc.nat(10), { minLength: 1, maxLength: 18 }), {
  minLength: 1,
  maxLength: 3,
});
const padding = fc.constantFrom('left' as const, 'right' as const);
/** One row's perturbation for every row. */
function repeated(delta: HostTensor, rows: number): HostTensor {
  const data = new Float32Array(rows * delta.data.length);
  for (let row = 0; row < rows; row++) data.set(delta.data, row * delta.data.length);
  return { dtype: 'float32', shape: [rows, ...delta.shape.slice(1)], data };
}

describe('generate', () => {
  it.each(Object.entries(FAMILIES))(
    'cached generation of %s is full recomputation, with either padding and any mix of lengths, perturbed or not',
    async (_, family) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(99), prompts, padding, fc.boolean(), async (seed, rows, side, perturbed) => {
          const model = tinyModel(seed, family);
          const sites = ['embedding', 'layers.0.attention', 'layers.1.residual'];
          const slots = rows.map((prompt) => [...prompt, 0, 0].map((_token, position) => position));
          const deltas = (rows: number): Record<string, HostTensor> =>
            Object.fromEntries(
              (perturbed ? sites : []).map((site, at) => [
                site,
                repeated(noise(seed + at, [1, 20, 8], 2), rows),
              ]),
            );
          const generated = await generate(engine, model, {
            maxNewTokens: 4,
            stopTokens: [],
            prompts: rows,
            padding: side,
            perturbation: { deltas: deltas(rows.length), slots },
          });
          for (const [row, prompt] of rows.entries())
            expect(generated[row]!.tokens).toEqual(
              await recomputed(model, prompt, 4, { deltas: deltas(1), slots: slots[row]! }),
            );
        }),
        { numRuns: 4 },
      );
    },
  );

  it.each([
    [
      'longrope',
      { type: 'longrope', short_factor: [1, 1], long_factor: [9, 90], original_max_position_embeddings: 12 },
    ],
    ['dynamic', { type: 'dynamic', factor: 40 }],
  ])('rows whose %s frequencies change while they grow are full recomputation', async (_, rope_scaling) => {
    const growing = fc.array(fc.nat(10), { minLength: 8, maxLength: 11 });
    const rows = fc.tuple(growing, growing, fc.array(fc.nat(10), { minLength: 1, maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(fc.nat(99), rows, async (seed, prompts) => {
        const model = tinyModel(seed, { rope_scaling, max_position_embeddings: 10 });
        const roomy = { ...model, config: { ...model.config, contextLength: 64 } };
        const generated = await generate(engine, roomy, { prompts, maxNewTokens: 8, stopTokens: [] });
        for (const [row, prompt] of prompts.entries())
          expect(generated[row]!.tokens).toEqual(await recomputed(model, prompt, 8));
      }),
      { numRuns: 6 },
    );
  });
});
