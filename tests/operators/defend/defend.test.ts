/** @file Training under perturbation: plain, full and partial training, schedules, coefficients; what is refused. */
import { afterAll, describe, expect, it } from 'vitest';
import { pack, type PackedBatch } from '../../../datasets/index.js';
import { createEngine, onnxruntimeExecutor, type Value } from '../../../engine/index.js';
import {
  createAttack,
  createDefender,
  partsOf,
  type DefendConfig,
  type ModelWeights,
} from '../../../operators/index.js';
import { difference } from '../../../testing/index.js';
import {
  DEFENCE_SITES,
  defenceConfig,
  fixedBenign as benign,
  fixedPairs as pairs,
  randomDeltas,
} from '../../helpers/defence.js';
import { ONE_SHAPE } from '../../../testing/index.js';
import { tinyModel, tinyWeights, TINY_LORA } from '../../helpers/tiny-model.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const defender = (weights: ModelWeights, over: Partial<DefendConfig> = {}) =>
  createDefender(engine, tinyModel, { ...defenceConfig, ...over }, { weights, updates: 10, seed: 5 });

const numbers = async (value: Value): Promise<number[]> => [...(await engine.download(value)).data];

describe('a defence', () => {
  it('lowers its losses under the perturbation, and the attack no longer finds what it found', async () => {
    const attackConfig = {
      sites: DEFENCE_SITES,
      segments: 'prompt' as const,
      epsilon: 0.5,
      iterations: 6,
      learningRate: 0.1,
      betas: [0.9, 0.999] as const,
      adamEpsilon: 1e-8,
      weightDecay: 0.01,
      losses: { toward: 1 },
    };
    const trained = defender(tinyWeights(engine, 1), {
      iterations: 4,
      learningRate: 0.03,
      losses: { toward: 1, away: 1 },
    });
    const attack = createAttack(engine, trained.model, attackConfig);
    const first = (await attack(trained.weights(), pairs, { step: 0, seed: 0 })).trace.at(-1)!.loss;
    let last: number | undefined;
    for (let step = 0; step < 5; step++) {
      const found = await attack(trained.weights(), pairs, { step, seed: 0 });
      last = found.trace.at(-1)!.loss;
      const trace = await trained.step([{ pairs, deltas: found.deltas }]);
      expect(trace.at(-1)!.loss).toBeLessThan(trace[0]!.loss);
      found.release();
    }
    expect(last!).toBeGreaterThan(first + 0.3);
  });

  it('trains what it is told to train, and nothing else', async () => {
    const before = tinyWeights(engine, 1);
    for (const [over, trains] of [
      [{}, (name: string) => name.includes('lora')],
      [
        { train: { kind: 'full', layers: [1] } },
        (name: string) => name.startsWith('model.layers.1.') && !name.includes('lora'),
      ],
      [{ train: { kind: 'full', layers: 'all' } }, (name: string) => !name.includes('lora')],
    ] as [Partial<DefendConfig>, (name: string) => boolean][]) {
      const trained = defender(before, { ...over, losses: { toward: 1, sft: 1 } });
      await trained.step([{ pairs, benign, deltas: randomDeltas(engine, 1) }]);
      const after = trained.weights();
      const all = (weights: ModelWeights) => ({ ...weights.parameters, ...weights.adapters });
      expect(Object.keys(all(after)).sort()).toEqual(Object.keys(all(before)).sort());
      for (const [name, value] of Object.entries(all(before))) {
        const moved = difference(await numbers(value), await numbers(all(after)[name]!)) > 0;
        expect(moved, name).toBe(trains(name));
      }
    }
  });

  it('on benign rows alone is plain training: no pairs, no perturbation, every parameter', async () => {
    const plain = createDefender(
      engine,
      { config: tinyModel.config },
      { ...defenceConfig, iterations: 20, losses: { sft: 1 }, train: { kind: 'full', layers: 'all' } },
      { weights: { ...tinyWeights(engine, 1), adapters: {} }, updates: 20, seed: 0 },
    );
    const trace = await plain.step(partsOf({ benign }, 1));
    expect(trace[0]!.losses).toEqual({ sft: trace[0]!.loss });
    expect(trace.at(-1)!.loss).toBeLessThan(0.5 * trace[0]!.loss);
  });

  it('without a perturbation trains on the pairs as they are', async () => {
    const zero = randomDeltas(engine, 0, 0);
    const [plain] = await defender(tinyWeights(engine, 1)).step([{ pairs, benign }]);
    const [still] = await defender(tinyWeights(engine, 1)).step([{ pairs, benign, deltas: zero }]);
    expect(plain!.loss).toBeCloseTo(still!.loss, 5);
    expect(plain!.gradientNorm).toBeCloseTo(still!.gradientNorm, 5);
  });

  it('makes fresh adapters, a function of the seed, that change nothing yet', async () => {
    const bare = { ...tinyWeights(engine, 1), adapters: {} };
    const [one, two] = [defender(bare), defender(bare)];
    const a = Object.entries(one.weights().adapters);
    expect(a.length).toBe(2 * TINY_LORA.projections.length * tinyModel.config.layers);
    for (const [name, value] of a)
      expect(await numbers(value)).toEqual(await numbers(two.weights().adapters[name]!));
    const [trace] = await one.step([{ pairs, benign }]);
    expect(trace!.losses.kl).toBeLessThan(1e-7);
  });

  it('normalizes coefficients on request, and only then', async () => {
    const losses = { toward: 3, sft: 1 };
    const step = async (over: Partial<DefendConfig>) =>
      (await defender(tinyWeights(engine, 1), { losses, ...over }).step([{ pairs, benign }]))[0]!;
    const given = await step({});
    const normalized = await step({ normalizeCoefficients: true });
    expect(given.loss).toBeCloseTo(3 * given.losses.toward! + given.losses.sft!, 4);
    expect(normalized.loss).toBeCloseTo(given.loss / 4, 4);
  });

  it('takes the divergence in its usual form as it is: a gradient that grows with it, the same in parts', async () => {
    const steps = async (parts: number, coefficient = 1) => {
      const each = defender(tinyWeights(engine, 1), { losses: { forwardKl: coefficient } });
      return (await each.step(partsOf({ benign }, parts)))[0]!;
    };
    const [once, twice, inParts] = [await steps(1), await steps(1, 2), await steps(3)];
    expect(once.losses.forwardKl).toBeGreaterThan(1e-3);
    expect(twice.gradientNorm).toBeCloseTo(2 * once.gradientNorm, 4);
    expect(inParts.losses.forwardKl).toBeCloseTo(once.losses.forwardKl!, 5);
    expect(inParts.gradientNorm).toBeCloseTo(once.gradientNorm, 4);
  });

  it('and an attack serve labelled rows with one forward: what stands there, and what should', async () => {
    const weights = tinyWeights(engine, 1);
    const tokens = [3, 8, 1, 12, 5];
    const loss = async (labels: number[], losses: DefendConfig['losses']) => {
      const rows = pack([{ prompt: tokens, desired: [], labels }], { minimum: ONE_SHAPE });
      return (await defender(weights, { losses }).step([{ pairs: rows }]))[0]!.loss;
    };
    const [first = 0, ...rest] = tokens;
    const plain = pack([{ prompt: [first], desired: rest }], { minimum: ONE_SHAPE });
    const asTheyAre = (await defender(weights, { losses: { toward: 1 } }).step([{ pairs: plain }]))[0]!.loss;
    expect(await loss(tokens, { toward: 1 })).toBeCloseTo(asTheyAre, 5);
    expect(await loss([-100, 9, -100, -100, -100], { ga: 1 })).toBeCloseTo(-asTheyAre, 5);
    const one = pack([{ prompt: [3, 8, 1], desired: [9] }], { minimum: ONE_SHAPE });
    const label = (await defender(weights, { losses: { toward: 1 } }).step([{ pairs: one }]))[0]!.loss;
    expect(await loss([-100, -100, -100, 9, -100], { toward: 1 })).toBeCloseTo(label, 5);
  });

  it('divides the kl term by its own value: its gradient does not depend on its size', async () => {
    const gradient = async (klCoefficient: number) =>
      (await defender(tinyWeights(engine, 1), { losses: { kl: klCoefficient } }).step([{ benign }]))[0]!;
    const [once, twice] = [await gradient(1), await gradient(2)];
    expect(once.losses.kl).toBeGreaterThan(1e-4);
    expect(twice.gradientNorm).toBeCloseTo(2 * once.gradientNorm, 2);
    // The gradient of ln kl; that of kl itself is smaller by kl.
    expect(once.gradientNorm).toBeGreaterThan(100 * once.losses.kl!);
  });

  it('follows its schedule and compiles nothing new for it', async () => {
    const scheduled = defender(tinyWeights(engine, 1), {
      iterations: 4,
      schedule: { kind: 'linear', warmup: 2 },
    });
    const rates = (await scheduled.step([{ pairs, benign }])).map(({ learningRate }) => learningRate);
    const { compilations } = engine.stats();
    rates.push(...(await scheduled.step([{ pairs, benign }])).map(({ learningRate }) => learningRate));
    expect(engine.stats().compilations).toBe(compilations);
    expect(rates).toEqual([0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8].map((factor) => 0.01 * factor));
  });
});

describe('a defence refuses', () => {
  const weights = () => tinyWeights(engine, 1);
  it.each([
    ['LOSS_UNKNOWN', { losses: { toward: 1, dop: 1 } as object }],
    ['LOSS_NONE', { losses: {} }],
    ['TRAIN_LAYER_UNKNOWN', { train: { kind: 'full', layers: [3] } }],
    ['TRAIN_LAYER_UNKNOWN', { train: { kind: 'full', layers: [] } }],
    ['TRAIN_MODULE_UNKNOWN', { train: { kind: 'full', layers: 'all', modules: ['down'] } }],
    ['LOSS_LAYER', { losses: { rmu: 1 } }],
    ['LOSS_LAYER', { losses: { retain: 1 }, objectives: { rmu: { layer: 3 } } }],
    ['TRAIN_UNREACHED', { losses: { rmu: 1, retain: 1 }, objectives: { rmu: { layer: 1 } } }],
  ] as [string, Partial<DefendConfig>][])('%s', (code, over) => {
    expect(() => defender(weights(), over)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['DEFEND_PART_MISSING', [{ pairs }]],
    ['DEFEND_PART_MISSING', [{ benign }]],
    ['LABELS_MISSING', [{ pairs: benign, benign }]],
  ] as [string, { pairs?: PackedBatch; benign?: PackedBatch }[]][])('%s', async (code, parts) => {
    await expect(defender(weights()).step(parts)).rejects.toMatchObject({ code });
  });

  it('a state of another shape', async () => {
    const state = await defender(weights()).save();
    const full = defender(weights(), { train: { kind: 'full', layers: [0] } });
    expect(() => full.restore(state)).toThrow(expect.objectContaining({ code: 'STATE_MISMATCH' }));
  });

  it('to take over weights from a loss that is not finite', async () => {
    const trained = defender(weights());
    await trained.step([{ pairs, benign }]);
    const good = await trained.save();
    const nan = randomDeltas(engine, 0, NaN);
    await expect(trained.step([{ pairs, benign, deltas: nan }])).rejects.toMatchObject({
      code: 'LOSS_NOT_FINITE',
    });
    expect(await trained.save()).toEqual(good);
  });
});
