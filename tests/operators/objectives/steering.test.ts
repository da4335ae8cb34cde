/** @file Steered activations: what they depend on, what they are steered to, and their gradients. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { pack } from '../../../datasets/index.js';
import {
  createEngine,
  onnxruntimeExecutor,
  ops,
  valueAndGradients,
  type Tensor,
  type Value,
} from '../../../engine/index.js';
import { feedOf, type BatchTensors } from '../../../operators/feed.js';
import { createDefender, type ModelWeights } from '../../../operators/index.js';
import {
  controlVector,
  positionWeights,
  residualAfter,
  squaredDistance,
} from '../../../operators/objectives/steering.js';
import { ONE_SHAPE, packed, packing, pairExamples, randomTensor } from '../../../testing/index.js';
import { defenceConfig, fixedBenign, fixedPairs, randomDeltas } from '../../helpers/defence.js';
import {
  tinyModel,
  tinyWeights,
  TINY_LAYERS,
  TINY_VOCABULARY,
  TINY_WIDTH,
} from '../../helpers/tiny-model.js';

const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

const ROWS = 2;
const SITE = 'layers.0.mlp';
const shape = [ROWS, ONE_SHAPE.slots, TINY_WIDTH];
const numbers = async (value: Value) => [...(await engine.download(value)).data];
type Args = {
  weights: ModelWeights<Tensor>;
  batch: BatchTensors;
  delta: Tensor;
  control: Tensor;
  positions: Tensor;
};

/** The distance to a control vector after block `layer`, and its gradient for δ. */
const distance = (layer: number) => ({
  name: `steered ${layer}`,
  compute: ({ weights, batch, delta, control, positions }: Args) => {
    const found = valueAndGradients(
      (inputs) => {
        const x = residualAfter(tinyModel, layer, weights, batch, { [SITE]: inputs['delta']! });
        return { loss: squaredDistance(x, control, positions), aux: {} };
      },
      { delta },
    );
    return { loss: ops.reshape(found.loss, [1]), gradient: found.gradients['delta']! };
  },
});

const inputs = fc.tuple(pairExamples(TINY_VOCABULARY, ROWS), packing, fc.nat(3));

describe('steered activations', () => {
  it('depend on no layer above: the model may end there', () =>
    fc.assert(
      fc.asyncProperty(inputs, fc.nat(TINY_LAYERS - 1), async ([examples, options, seed], layer) => {
        const batch = packed(examples, options);
        const above = (name: string): boolean =>
          name.startsWith('lm_head') || Number(/layers\.(\d+)/.exec(name)?.[1] ?? 0) > layer;
        const whole = tinyWeights(engine, seed);
        const kept = (values: ModelWeights['parameters']) =>
          Object.fromEntries(Object.entries(values).filter(([name]) => !above(name)));
        const ended = { parameters: kept(whole.parameters), adapters: kept(whole.adapters) };
        const run = async (weights: ModelWeights) =>
          numbers(
            (
              await engine.run(distance(layer), {
                weights,
                batch: feedOf(engine, batch),
                delta: engine.upload(randomTensor(shape, 0.3, seed, SITE)),
                control: engine.upload(controlVector(TINY_WIDTH, 2, seed)),
                positions: engine.upload({
                  dtype: 'float32',
                  shape: [batch.rows, batch.length],
                  data: positionWeights(batch, 'adversarial', false),
                }),
              })
            ).loss,
          );
        expect(await run(ended)).toEqual(await run(whole));
      }),
      { numRuns: 12 },
    ));

  it('have the gradient for δ that finite differences find', () =>
    fc.assert(
      fc.asyncProperty(inputs, async ([examples, options, seed]) => {
        const batch = packed(examples, options);
        const weights = tinyWeights(engine, seed);
        const [base, direction] = ['base', 'direction'].map((name) => randomTensor(shape, 0.3, seed, name));
        const run = async (by: number) => {
          const data = Float32Array.from(base!.data, (x, at) => x + by * direction!.data[at]!);
          const { loss, gradient } = await engine.run(distance(1), {
            weights,
            batch: feedOf(engine, batch),
            delta: engine.upload({ dtype: 'float32', shape, data }),
            control: engine.upload(controlVector(TINY_WIDTH, 2, seed)),
            positions: engine.upload({
              dtype: 'float32',
              shape: [batch.rows, batch.length],
              data: positionWeights(batch, 'adversarial', false),
            }),
          });
          return { loss: (await numbers(loss))[0]!, gradient: await numbers(gradient) };
        };
        const { gradient } = await run(0);
        const found = ((await run(0.03)).loss - (await run(-0.03)).loss) / 0.06;
        const expected = gradient.reduce((sum, value, at) => sum + value * direction!.data[at]!, 0);
        expect(Math.abs(found - expected)).toBeLessThan(0.02 * Math.max(0.05, Math.hypot(...gradient)));
      }),
      { numRuns: 12 },
    ));

  it('are steered to a vector of the given norm, a function of the seed', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 64 }),
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.nat(),
        (width, norm, seed) => {
          const { data } = controlVector(width, norm, seed);
          expect(Math.hypot(...data)).toBeCloseTo(norm, 4);
          expect([...data].every((value) => value >= 0)).toBe(true);
          expect(controlVector(width, norm, seed).data).toEqual(data);
          expect(controlVector(width, norm, seed + 1).data).not.toEqual(data);
        },
      ),
    ));

  it('weigh 1 in all, the positions of a row alike, and nothing on padding or on the other completion', () => {
    const batch = pack([
      { prompt: [1, 2], adversarial: [3, 4, 5], desired: [6] },
      { prompt: [1], adversarial: [3], desired: [6] },
    ]);
    const weights = positionWeights(batch, 'adversarial', false);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
    weights.forEach((weight, at) => {
      const counted = [1, 2].includes(batch.segments[at]!);
      expect(weight).toBeCloseTo(counted ? (at < batch.length ? 1 / 10 : 1 / 4) : 0, 6);
    });
    const padded = positionWeights(batch, 'adversarial', true);
    expect(padded.filter((weight) => weight > 0).length).toBeGreaterThan(7);
  });
});

describe('a defence that steers', () => {
  it('brings activations closer to the vector, keeps those of benign rows, and moves no other weight', async () => {
    const weights = { ...tinyWeights(engine, 1), adapters: {} };
    const config = {
      ...defenceConfig,
      train: { kind: 'full', layers: [0, 1], modules: ['down_proj'] },
      losses: { rmu: 1, retain: 10 },
      objectives: { rmu: { layer: 1 } },
      iterations: 20,
    } as const;
    const defender = createDefender(engine, tinyModel, config, { weights, updates: 20, seed: 1 });
    const trace = await defender.step([
      { pairs: fixedPairs, benign: fixedBenign, deltas: randomDeltas(engine, 1) },
    ]);
    expect(trace[0]!.losses.retain).toBe(0);
    expect(trace.at(-1)!.losses.rmu).toBeLessThan(0.95 * trace[0]!.losses.rmu!);
    for (const [name, value] of Object.entries(defender.weights().parameters)) {
      const moved = (await numbers(value)).join() !== (await numbers(weights.parameters[name]!)).join();
      expect(moved, name).toBe(/layers\.[01]\.mlp\.down_proj/.test(name));
    }
  });
});
