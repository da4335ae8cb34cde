/** @file One packed row per pair is the same mathematics as two rows: losses, and gradients for δ and for adapters. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { PackedBatch } from '../../datasets/index.js';
import {
  createEngine,
  onnxruntimeExecutor,
  ops,
  valueAndGradients,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import { feedOf, type BatchTensors } from '../../operators/feed.js';
import type { ModelWeights } from '../../operators/index.js';
import { pairLosses } from '../../operators/objectives/pair-losses.js';
import { ATTACK_AIMS } from '../../operators/objectives/pair-objectives.js';
import { ONE_SHAPE, packed, packing, pairExamples, randomTensor } from '../../testing/index.js';
import { tinyModel, tinyWeights, TINY_VOCABULARY, TINY_WIDTH } from '../helpers/tiny-model.js';

const ROWS = 2;
const SITES = ['embedding', 'layers.0.mlp', 'layers.1.residual'];
const engine = createEngine(onnxruntimeExecutor({ threads: 1 }));
afterAll(() => engine.dispose());

type Named = Record<string, Tensor>;
type Args = { weights: ModelWeights<Tensor>; batch: BatchTensors; deltas: Named };

/** Losses, and their gradients one by one; where rows are separate, both of a pair share its perturbation. */
const program = (copies: number) => ({
  name: `packed ${copies}`,
  compute: ({ weights, batch, deltas }: Args) =>
    Object.fromEntries(
      (['toward', 'away'] as const).map((name) => {
        const { loss, gradients } = valueAndGradients(
          (inputs) => {
            const spread = Object.fromEntries(
              SITES.map((site): [string, Tensor] => [site, ops.tile(inputs[site]!, [copies, 1, 1])]),
            );
            const adapters = Object.fromEntries(
              Object.keys(weights.adapters).map((each) => [each, inputs[each]!]),
            );
            const candidate = { ...weights, adapters };
            const losses = pairLosses(tinyModel, candidate, batch, spread, ATTACK_AIMS, [name]);
            return { loss: losses[name]!, aux: {} };
          },
          { ...deltas, ...weights.adapters },
        );
        return [name, { loss, gradients }];
      }),
    ),
});

type Measured = Record<'toward' | 'away', { loss: Value; gradients: Record<string, Value> }>;

async function measured(batch: PackedBatch, seed: number, copies: number): Promise<Map<string, number[]>> {
  const shape = [ROWS, ONE_SHAPE.slots, TINY_WIDTH];
  const deltas = Object.fromEntries(
    SITES.map((site): [string, Value] => [site, engine.upload(randomTensor(shape, 0.3, seed, site))]),
  );
  const result = (await engine.run(program(copies), {
    weights: tinyWeights(engine, seed),
    batch: feedOf(engine, batch),
    deltas,
  })) as unknown as Measured;
  const numbers = new Map<string, number[]>();
  for (const [name, { loss, gradients }] of Object.entries(result)) {
    numbers.set(`${name} loss`, [...(await engine.download(loss)).data]);
    for (const [key, value] of Object.entries(gradients))
      numbers.set(`gradient of ${name} for ${key}`, [...(await engine.download(value)).data]);
  }
  return numbers;
}

function same(a: Map<string, number[]>, b: Map<string, number[]>): void {
  expect([...a.keys()]).toEqual([...b.keys()]);
  for (const [name, numbers] of a) {
    const scale = Math.max(1e-2, ...numbers.map(Math.abs));
    numbers.forEach((value, at) => {
      expect(Math.abs(value - b.get(name)![at]!), name).toBeLessThan(2e-5 * scale);
    });
  }
}

describe('a packed row', () => {
  it('gives the losses and gradients of two separate rows, for all pairs, masks and padding sides', () =>
    fc.assert(
      fc.asyncProperty(
        pairExamples(TINY_VOCABULARY, ROWS),
        packing,
        fc.constantFrom('left', 'right'),
        fc.nat(3),
        async (examples, options, otherSide, seed) => {
          const one = packed(examples, options);
          const two = packed(examples, { ...options, padding: otherSide, layout: 'separate' });
          same(await measured(one, seed, 1), await measured(two, seed, 2));
        },
      ),
      { numRuns: 25 },
    ));

  it('has gradients that tell which token is perturbed, so that the comparison above means something', async () => {
    const pair = { prompt: [1, 2, 3], adversarial: [4, 5], desired: [6, 7] };
    const numbers = await measured(packed([pair, pair], {}), 0, 1);
    for (const site of SITES) {
      const gradient = numbers.get(`gradient of toward for ${site}`)!;
      const sizes = Array.from({ length: ONE_SHAPE.slots }, (_, slot) =>
        Math.hypot(...gradient.slice(slot * TINY_WIDTH, (slot + 1) * TINY_WIDTH)),
      );
      expect(sizes.slice(0, 3).every((size) => size > 1e-5)).toBe(true);
      expect(sizes.slice(3).every((size) => size === 0)).toBe(true);
    }
  });

  it('gives the same in a larger frame: padding changes nothing', () =>
    fc.assert(
      fc.asyncProperty(
        pairExamples(TINY_VOCABULARY, ROWS),
        packing,
        fc.nat(3),
        async (examples, options, seed) => {
          const small = packed(examples, options);
          const large = packed(examples, { ...options, minimum: { ...ONE_SHAPE, length: 24, labels: 48 } });
          same(await measured(small, seed, 1), await measured(large, seed, 1));
        },
      ),
      { numRuns: 15 },
    ));
});
