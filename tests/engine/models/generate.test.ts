/** @file Cached generation against full recomputation, row by row. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  generate,
  initialAdapters,
  onnxruntimeExecutor,
  tfjsExecutor,
  type GenerationRequest,
  type HostTensor,
  type Model,
} from '../../../engine/index.js';
import { recomputed } from './recomputed.js';
import { noise, tinyModel } from './tiny.js';

const engine = createEngine(tfjsExecutor());
const compiled = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => compiled.dispose());

const prompts = fc.array(fc.array(fc.nat(10), { minLength: 1, maxLength: 18 }), {
  minLength: 1,
  maxLength: 3,
});
const padding = fc.constantFrom('left' as const, 'right' as const);
const greedy = (model: Model, request: Partial<GenerationRequest> & Pick<GenerationRequest, 'prompts'>) =>
  generate(engine, model, { maxNewTokens: 4, stopTokens: [], ...request });

/** Rows of a perturbation. */
function rowsTaken({ data, shape, dtype }: HostTensor, rows: readonly number[]): HostTensor {
  const [, ...rest] = shape as [number, number, number];
  const width = rest[0] * rest[1];
  return {
    dtype,
    shape: [rows.length, ...rest],
    data: Float32Array.from(rows.flatMap((row) => [...data.subarray(row * width, (row + 1) * width)])),
  };
}

describe('generate', () => {
  it('a perturbation acts on the prompt and, where slots go on, on what is generated', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(99), prompts, fc.nat(3), padding, async (seed, rows, later, side) => {
        const model = tinyModel(seed);
        const sites = ['embedding', 'layers.1.residual'];
        const deltas = Object.fromEntries(
          sites.map((site, at) => [site, noise(seed + at, [rows.length, 22, 8], 2)]),
        );
        const slots = rows.map((prompt) =>
          Array.from({ length: prompt.length + later }, (_, position) => position),
        );
        const generated = await greedy(model, {
          prompts: rows,
          padding: side,
          perturbation: { deltas, slots },
        });
        for (const [row, prompt] of rows.entries()) {
          const own = Object.fromEntries(
            sites.map((site) => [
              site,
              {
                ...deltas[site]!,
                shape: [1, 22, 8],
                data: deltas[site]!.data.slice(row * 176, (row + 1) * 176),
              },
            ]),
          );
          expect(generated[row]!.tokens).toEqual(
            await recomputed(model, prompt, 4, { deltas: own, slots: slots[row]! }),
          );
        }
      }),
      { numRuns: 8 },
    );
  });

  it('compiled and eager generation agree, with adapters', async () => {
    const model = tinyModel(11);
    const lora = { rank: 2, projections: ['q_proj', 'up_proj'] };
    const adapters = Object.fromEntries(
      Object.entries(initialAdapters(model.config, lora, 1)).map(([name, { shape }]) => [
        name,
        noise(5, shape, 0.5),
      ]),
    );
    const request = { prompts: [[1, 2, 3], [4]], maxNewTokens: 10, stopTokens: [] };
    const adapted = { ...model, adapters, adapterScale: 2 };
    const eager = await generate(engine, adapted, request);
    expect(await generate(compiled, adapted, request)).toEqual(eager);
    expect(await generate(compiled, model, request)).not.toEqual(eager);
    const { compilations } = compiled.stats();
    await generate(compiled, adapted, {
      ...request,
      prompts: [
        [5, 5, 5, 5, 5],
        [6, 7],
      ],
    });
    expect(compiled.stats().compilations).toBe(compilations);
  });

  it('a row ends at its stop token, where its caller says so, at the limit or with the context, and the others go on', async () => {
    const model = tinyModel(4, { max_position_embeddings: 8 });
    const rows = [
      [1, 2, 3],
      [9, 4, 4, 1],
    ];
    const free = await greedy(model, { prompts: rows, maxNewTokens: 99 });
    expect(free.map(({ tokens, ended }) => [tokens.length, ended])).toEqual([
      [5, 'context'],
      [4, 'context'],
    ]);
    const token = free[0]!.tokens[1]!;
    const byToken = await greedy(model, { prompts: rows, maxNewTokens: 99, stopTokens: [token] });
    const seen: number[][] = [];
    const stop = (tokens: readonly number[], row: number): boolean => {
      (seen[row] ??= []).push(tokens.length);
      return tokens.at(-1) === token;
    };
    const byCaller = await greedy(model, { prompts: rows, maxNewTokens: 99, stop });
    for (const [ending, ended] of [
      ['stop-token', byToken],
      ['stop', byCaller],
    ] as const)
      ended.forEach((row, index) => {
        const { tokens } = free[index]!;
        const end = tokens.indexOf(token) + 1;
        expect(row).toEqual(end > 0 ? { tokens: tokens.slice(0, end), ended: ending } : free[index]);
      });
    expect(byToken[0]!.tokens.length).toBeLessThan(free[0]!.tokens.length);
    expect(seen).toEqual(byCaller.map(({ tokens }) => tokens.map((_, at) => at + 1)));
    const short = await greedy(model, { prompts: rows, maxNewTokens: 2 });
    expect(short.map(({ ended }) => ended)).toEqual(['length', 'length']);
    expect(await greedy(model, { prompts: rows, maxNewTokens: 0 })).toEqual(
      rows.map(() => ({ tokens: [], ended: 'length' })),
    );
    expect(await greedy(model, { prompts: [] })).toEqual([]);
  });

  it('drawn tokens depend on seed and row key alone, not on the batch', async () => {
    const model = tinyModel(6, { initializer_range: 0.1 });
    const sampling = { temperature: 1, seed: 3 };
    const draw = (rows: number[][], rowKeys: string[], seed = 3) =>
      greedy(model, { prompts: rows, rowKeys, maxNewTokens: 8, sampling: { ...sampling, seed } });
    const [a, b] = await draw([[1, 2], [3]], ['a', 'b']);
    expect((await draw([[3]], ['b']))[0]).toEqual(b);
    expect((await draw([[1, 2]], ['a']))[0]).toEqual(a);
    expect((await draw([[1, 2]], ['c']))[0]).not.toEqual(a);
    expect((await draw([[1, 2]], ['a'], 4))[0]).not.toEqual(a);
    const cold = await greedy(model, { prompts: [[1, 2]], sampling: { temperature: 0, seed: 1 } });
    expect(cold).toEqual(await greedy(model, { prompts: [[1, 2]] }));
  });

  it('a row in a batch whose rows end one after the other is the row alone, drawn or greedy, perturbed or not', async () => {
    const limits = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(99),
        limits,
        fc.boolean(),
        fc.boolean(),
        padding,
        async (seed, ends, drawn, perturbed, side) => {
          const rope = { type: 'dynamic', factor: 40 };
          const made = tinyModel(seed, seed % 2 ? { rope_scaling: rope, max_position_embeddings: 20 } : {});
          const model = { ...made, config: { ...made.config, contextLength: 64 } };
          const rows = ends.map((end, row) =>
            Array.from({ length: 1 + (end % 7) }, (_, at) => (at + row) % 11),
          );
          const deltas = noise(seed, [rows.length, 40, 8], 2);
          const slots = Array.from({ length: 40 }, (_, position) => position);
          const continued = (chosen: readonly number[]) =>
            greedy(model, {
              prompts: chosen.map((row) => rows[row]!),
              rowKeys: chosen,
              padding: side,
              maxNewTokens: 30,
              stopTokens: [4],
              stop: ({ length }, row) => length >= ends[chosen[row]!]!,
              ...(drawn && { sampling: { temperature: 2, seed } }),
              ...(perturbed && {
                perturbation: {
                  deltas: { 'layers.0.residual': rowsTaken(deltas, chosen) },
                  slots: chosen.map((row) => slots.slice(0, ends[row])),
                },
              }),
            });
          const together = await continued([...rows.keys()]);
          for (const row of rows.keys()) expect(together[row]).toEqual((await continued([row]))[0]);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('rows that have ended leave: fewer are run, in batches of a few sizes', async () => {
    const sizes: number[] = [];
    const counting = Object.assign(Object.create(engine) as typeof engine, {
      run: ((definition, args, into) => {
        const { batch } = args as unknown as { batch: { tokens: HostTensor } };
        sizes.push(batch.tokens.shape[0]!);
        return engine.run(definition, args, into);
      }) satisfies typeof engine.run,
    });
    const run = async (ends: readonly number[], maxNewTokens: number): Promise<number[]> => {
      sizes.length = 0;
      await generate(counting, tinyModel(2), {
        prompts: ends.map(() => [1]),
        stopTokens: [],
        stop: ({ length }, row) => length >= ends[row]!,
        maxNewTokens,
      });
      return [...sizes];
    };
    const times = (...counts: [times: number, rows: number][]): number[] =>
      counts.flatMap(([count, rows]) => Array.from({ length: count }, () => rows));
    // The run that gives a row's last token is its last one; what goes on is run as a power of two.
    expect(await run([2, 3, 20, 5, 6, 7, 12, 9], 40)).toEqual(times([6, 8], [3, 4], [3, 2], [8, 1]));
    expect(await run([9, 1, 9, 9, 9, 1], 30)).toEqual(times([1, 6], [8, 4]));
    // So close to the limit, another program would cost more than it saves.
    expect(await run([2, 9], 9)).toEqual(times([9, 2]));
    expect(await run([2, 10], 10)).toEqual(times([2, 2], [8, 1]));
  });

  it.each([
    [[[]], 'GENERATE_PROMPT'],
    [[[1], [11]], 'GENERATE_PROMPT'],
    [[[-1]], 'GENERATE_PROMPT'],
    [[Array.from({ length: 65 }, () => 1)], 'GENERATE_CONTEXT'],
  ])('refuses prompts %o', async (rows, code) => {
    await expect(greedy(tinyModel(1), { prompts: rows })).rejects.toThrow(expect.objectContaining({ code }));
  });

  it('says so where logits are not numbers', async () => {
    const model = tinyModel(1);
    const broken = model.parameters['model.norm.weight']!.data.map(() => NaN);
    const parameters = {
      ...model.parameters,
      'model.norm.weight': { dtype: 'float32' as const, shape: [8], data: broken },
    };
    await expect(greedy({ ...model, parameters }, { prompts: [[1]] })).rejects.toThrow(
      expect.objectContaining({ code: 'GENERATE_NAN' }),
    );
  });
});
