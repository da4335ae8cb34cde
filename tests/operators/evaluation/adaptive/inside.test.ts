/** @file What adaptive attacks see of a model: losses, slopes and states against what the attack's own programs say. */
import { afterAll, describe, expect, it } from 'vitest';
import { pack, type PackedBatch } from '../../../../datasets/index.js';
import { createEngine, float32, onnxruntimeExecutor } from '../../../../engine/index.js';
import { attackLoss, subjectOf, type Inside, type ModelWeights } from '../../../../operators/index.js';
import { FAMILIES, tinyModel } from '../../../engine/models/tiny.js';
import { tinyModel as adapted, tinyWeights } from '../../../helpers/tiny-model.js';
import { uploaded } from '../../../../testing/index.js';
import { Words } from '../scripted.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const rows = [
  { prompt: [3, 8, 1, 9], desired: [5, 6, 7] },
  { prompt: [4, 4, 7], desired: [2, 2] },
];
const batch = pack(rows);
/** The same answers as what an attack is for. */
const aimed = pack(rows.map(({ prompt, desired }) => ({ prompt, adversarial: desired, desired })));
const toward = { losses: { toward: 1 } };

function inside(model: Parameters<typeof subjectOf>[1], weights: ModelWeights, on = engine): Inside {
  return subjectOf(on, model, () => weights, new Words(), null).inside!;
}

describe('rowLosses', () => {
  it('are the cross-entropies of the rows, whose means over labels are those of the batch', async () => {
    const weights = tinyWeights(engine, 1);
    const own = inside(adapted, weights);
    const losses = await own.rowLosses(batch);
    const whole = await attackLoss(engine, adapted, toward, weights, aimed);
    expect((3 * losses[0]! + 2 * losses[1]!) / 5).toBeCloseTo(whole, 4);
    const [alone] = await own.rowLosses(pack(rows.slice(1)));
    expect(losses[1]).toBeCloseTo(alone!, 4);
  });
});

describe('tokenSlopes', () => {
  it.each(['llama', 'gpt2', 'gemma2'])(
    'tell how the loss of %s changes on the way from a token to another',
    async (family) => {
      const { config, parameters } = tinyModel(3, FAMILIES[family]);
      const weights = { parameters: uploaded(engine, parameters), adapters: {} };
      const slopes = await inside({ config }, weights).tokenSlopes(batch);
      const name = Object.keys(parameters).find((each) => /(embed_tokens|wte)\.weight$/.test(each))!;
      const { data } = parameters[name]!;
      const { width, vocabularySize: size, embeddingScale } = config;
      const lossAt = (slot: number, token: number, share: number): Promise<number> => {
        const delta = float32([2, batch.slotCount, width]);
        for (let at = 0; at < width; at++)
          (delta.data as Float32Array)[slot * width + at] =
            share * embeddingScale * data[token * width + at]!;
        return attackLoss(engine, { config }, toward, weights, aimed, { embedding: engine.upload(delta) });
      };
      for (const [slot, token] of [
        [0, 5],
        [2, 9],
      ] as const) {
        const step = 0.01;
        const change = ((await lossAt(slot, token, step)) - (await lossAt(slot, token, -step))) / (2 * step);
        expect(slopes[slot * size + token]).toBeCloseTo(change, 2);
        expect(Math.abs(change)).toBeGreaterThan(1e-3);
      }
    },
  );
});

describe('tokenSlopes in float16', () => {
  /** Of a model with so strong a head, and how often their program was run. */
  async function slopesWith(strength: number, precision: 'float32' | 'float16', initial?: number) {
    const { config, parameters } = tinyModel(3);
    const head = parameters['lm_head.weight']!;
    const other = { ...head, data: (head.data as Float32Array).map((value) => value * strength) };
    const executor = onnxruntimeExecutor({ threads: 1, precision });
    const own = createEngine(executor, { ...(initial && { lossScale: { initial, growAfter: 0 } }) });
    const weights = { parameters: uploaded(own, { ...parameters, 'lm_head.weight': other }), adapters: {} };
    const slopes = await inside({ config }, weights, own).tokenSlopes(batch);
    const { compilations, hits } = own.stats();
    await own.dispose();
    return { slopes, runs: compilations + hits };
  }
  const largest = (values: Float32Array): number => Math.max(...values.map(Math.abs));
  const error = (found: Float32Array, exact: Float32Array): number =>
    largest(found.map((value, at) => value - exact[at]!)) / largest(exact);

  it('are those of float32 where gradients would be lost unscaled, because the head is faint', async () => {
    const { slopes: exact } = await slopesWith(2 ** -14, 'float32');
    const lost = await slopesWith(2 ** -14, 'float16', 1);
    const found = await slopesWith(2 ** -14, 'float16');
    expect(error(lost.slopes, exact)).toBeGreaterThan(0.02);
    expect(error(found.slopes, exact)).toBeLessThan(0.005);
    expect(found.runs).toBe(1);
  });

  it('are computed again with half the scale as long as they overflow', async () => {
    const { slopes: exact } = await slopesWith(1, 'float32');
    const found = await slopesWith(1, 'float16', 2 ** 24);
    expect(error(found.slopes, exact)).toBeLessThan(0.005);
    expect(found.runs).toBeGreaterThan(1);
  });
});

describe('without', () => {
  const states = (batch: PackedBatch, of: Inside): Promise<readonly Float32Array[]> =>
    of.states(batch, 'own');
  const along = (state: Float32Array, direction: Float32Array): number =>
    state.reduce((sum, value, at) => sum + value * (direction[at] ?? 0), 0);
  const single = pack(rows.map(({ prompt }) => ({ prompt, desired: [0] })));

  it.each(Object.entries(FAMILIES).filter(([name]) => !name.startsWith('gemma2')))(
    'a direction, the stream of %s has no part along it after any block, and without none all stays',
    async (_, family) => {
      const { config, parameters } = tinyModel(3, family);
      const own = inside({ config }, { parameters: uploaded(engine, parameters), adapters: {} });
      const before = await states(single, own);
      const first = before[1]!.subarray(0, config.width);
      const length = Math.hypot(...first);
      const direction = first.map((value) => value / length);
      const weakened = await own.without(direction);
      for (const state of await states(single, weakened.inside!))
        expect(Math.abs(along(state, direction))).toBeLessThan(1e-4 * length);
      const same = await own.without(new Float32Array(config.width));
      const [losses, kept] = [await own.rowLosses(batch), await same.inside!.rowLosses(batch)];
      kept.forEach((loss, row) => expect(loss).toBeCloseTo(losses[row]!, 4));
    },
  );

  it('a direction, adapters stay; the base model has states of its own', async () => {
    const weights = tinyWeights(engine, 1);
    const own = inside(adapted, weights);
    const same = await own.without(new Float32Array(adapted.config.width));
    const [losses, kept] = [await own.rowLosses(batch), await same.inside!.rowLosses(batch)];
    kept.forEach((loss, row) => expect(loss).toBeCloseTo(losses[row]!, 4));
    const base = inside(adapted, { ...weights, adapters: {} });
    expect(await own.states(single, 'transferred')).toEqual(await base.states(single, 'own'));
    expect(await own.states(single, 'own')).not.toEqual(await base.states(single, 'own'));
  });

  it('is refused where norms stand before the stream', async () => {
    const { config, parameters } = tinyModel(3, FAMILIES['gemma2']);
    const own = inside({ config }, { parameters: uploaded(engine, parameters), adapters: {} });
    await expect(own.without(new Float32Array(config.width))).rejects.toMatchObject({
      code: 'ABLATION_POST_NORM',
    });
  });
});
