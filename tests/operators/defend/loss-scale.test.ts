/** @file Training in 16 bits: near float32's curve; overflows cost an attempt and change nothing else; a resume goes on alike. */
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  onnxruntimeExecutor,
  type Engine,
  type HostTensor,
  type LossScaling,
  type Precision,
} from '../../../engine/index.js';
import { createAttack, createDefender, vectorNorms, type Defender } from '../../../operators/index.js';
import {
  DEFENCE_SITES,
  defenceConfig,
  fixedBenign as benign,
  fixedPairs as pairs,
} from '../../helpers/defence.js';
import { tinyModel, tinyWeights } from '../../helpers/tiny-model.js';

const EPSILON = 0.5;
const attackConfig = {
  sites: DEFENCE_SITES,
  segments: 'prompt' as const,
  epsilon: EPSILON,
  iterations: 4,
  learningRate: 0.1,
  betas: [0.9, 0.999] as const,
  adamEpsilon: 1e-8,
  weightDecay: 0.01,
  losses: { toward: 1 },
};

const engines: Engine[] = [];
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

function engineIn(precision: Precision, lossScale?: LossScaling): Engine {
  const executor = onnxruntimeExecutor({ threads: 1, precision });
  const engine = createEngine(executor, { ...(lossScale && { lossScale }) });
  engines.push(engine);
  return engine;
}

const defenderOn = (engine: Engine): Defender =>
  createDefender(
    engine,
    tinyModel,
    { ...defenceConfig, losses: { toward: 1, away: 1, sft: 1 }, learningRate: 0.03 },
    { weights: tinyWeights(engine, 1), updates: 20, seed: 5 },
  );

/** Steps of attack and defence: their losses, the scales, and whether every δ was in its ball. */
async function train(engine: Engine, defender: Defender, steps: number) {
  const attack = createAttack(engine, defender.model, attackConfig);
  const losses: number[] = [];
  const scales: (number | undefined)[] = [];
  let reach = 0;
  for (let step = 0; step < steps; step++) {
    const found = await attack(defender.weights(), pairs, { step, seed: 0 });
    for (const delta of Object.values(found.deltas))
      reach = Math.max(reach, ...vectorNorms(await engine.download(delta)));
    const [trace] = await defender.step([{ pairs, deltas: found.deltas, benign }]);
    losses.push(found.trace.at(-1)!.loss, trace!.loss);
    scales.push(trace!.lossScale);
    found.release();
  }
  return { losses, scales, reach, tensors: (await defender.save()).tensors };
}

const without = ({ lossScale: _, ...rest }: Readonly<Record<string, HostTensor>>) => rest;

describe('training in 16 bits', () => {
  // AdamW's first step goes by the sign of a gradient, which rounding decides where that is next to nothing.
  it.each([
    ['float16', 0.15],
    ['bfloat16', 0.25],
  ] as const)('in %s learns along the curve of float32, δ in its ball', async (precision, band) => {
    const runs = [engineIn('float32'), engineIn(precision)].map((engine) =>
      train(engine, defenderOn(engine), 8),
    );
    const [wide, half] = await Promise.all(runs);
    wide!.losses.forEach((loss, at) => expect(Math.abs(half!.losses[at]! / loss - 1)).toBeLessThan(band));
    expect(half!.losses.at(-1)!).toBeLessThan(0.9 * half!.losses[1]!);
    expect(half!.reach).toBeLessThanOrEqual(EPSILON * (1 + 1e-6));
    expect(half!.scales.every((scale) => scale === (precision === 'float16' ? 4096 : undefined))).toBe(true);
  });

  it('makes an update that overflows again with half the scale, and nothing else of it is left', async () => {
    const large = engineIn('float16', { initial: 2 ** 24, growAfter: 0 });
    const tried = await train(large, defenderOn(large), 1);
    const found = tried.scales[0]!;
    expect(found).toBeLessThan(2 ** 24);
    const fitting = engineIn('float16', { initial: found, growAfter: 0 });
    const plain = defenderOn(fitting);
    // The attack that found δ was scaled otherwise: that changes none of its normal numbers.
    expect(without((await train(fitting, plain, 1)).tensors)).toEqual(without(tried.tensors));
  });

  it('resumes with its scale, bit for bit', async () => {
    const engine = engineIn('float16', { initial: 64, growAfter: 3 });
    const whole = defenderOn(engine);
    await train(engine, whole, 2);
    const saved = await whole.save();
    const resumed = defenderOn(engine);
    resumed.restore(saved);
    const [went, resumes] = [await train(engine, whole, 2), await train(engine, resumed, 2)];
    expect(went.scales).toEqual([64, 128]);
    expect(resumes).toEqual(went);
  });

  it('refuses a state that was saved without a scale, and a scale that would round', async () => {
    const engine = engineIn('float16');
    const { updates, tensors } = await defenderOn(engine).save();
    expect(() => defenderOn(engine).restore({ updates, tensors: without(tensors) })).toThrow(/lossScale/);
    expect(() => defenderOn(engineIn('float16', { initial: 3000, growAfter: 0 }))).toThrow(/power of two/);
  });

  it('refuses to train weights themselves that are kept in 16 bits', () => {
    const engine = engineIn('bfloat16');
    const kept = createEngine(engine.executor, { weights: 'bfloat16' });
    const { parameters } = tinyWeights(kept, 1);
    const host = parameters as Readonly<Record<string, HostTensor>>;
    const weights = { parameters: kept.uploadWeights(host), adapters: {} };
    const config = { ...defenceConfig, train: { kind: 'full', layers: 'all' } } as const;
    expect(() => createDefender(kept, tinyModel, config, { weights, updates: 1, seed: 0 })).toThrow(
      /PRECISION_UNSUPPORTED|float32 for weights that are trained/,
    );
  });
});
