import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  createEngine,
  float32,
  int32,
  onnxruntimeExecutor,
  ops,
  tfjsExecutor,
  type HostTensor,
  type Tensor,
} from '../../engine/index.js';
import { kernels } from '../../engine/kernels/index.js';
import { trace } from '../../engine/trace.js';
import { cases, matrix, positive } from '../helpers/kernel-cases.js';
import { matricesArbitrary, programArbitrary } from '../helpers/programs.js';

const compiled = createEngine(onnxruntimeExecutor({ threads: 1 }), { cacheBytes: 2 ** 20 });
const eager = createEngine(tfjsExecutor());
afterAll(async () => {
  await compiled.dispose();
  await eager.dispose();
});

const data = async (engine: typeof eager, value: unknown): Promise<HostTensor['data']> =>
  (await engine.download(value as HostTensor)).data;

describe('onnxruntimeExecutor', () => {
  test.each(Object.keys(cases))('kernel %s computes what tfjs computes', async (name) => {
    const compute = (args: unknown): Tensor => cases[name]!((args as { x: Tensor }).x);
    for (const x of [matrix, positive]) {
      const definition = { name: `case ${name}`, compute };
      const expected = await data(eager, await eager.run(definition, { x }));
      const got = await data(compiled, await compiled.run(definition, { x }));
      expect(got.constructor).toBe(expected.constructor);
      got.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 5));
    }
  });

  test('every kernel of the table has a case that uses it', () => {
    const used = new Set(
      Object.entries(cases).flatMap(([name, compute]) =>
        trace({ name, compute: (args) => compute((args as { x: Tensor }).x), args: { x: matrix } }).nodes.map(
          (node) => node.kernel,
        ),
      ),
    );
    // BroadcastTo is made by simplification, Step and SquaredDifference by gradients and tfjs's own compositions.
    const indirect = ['BroadcastTo', 'Step', 'SquaredDifference'];
    expect(Object.keys(kernels).filter((kernel) => !used.has(kernel) && !indirect.includes(kernel))).toEqual(
      [],
    );
  });

  test('a random program and its gradients equal tfjs run eagerly', async () => {
    await fc.assert(
      fc.asyncProperty(programArbitrary, matricesArbitrary, async (definition, args) => {
        const expected = (await eager.run(definition, args)) as unknown as Record<string, HostTensor>;
        const got = (await compiled.run(definition, args)) as unknown as Record<string, HostTensor>;
        for (const key of ['loss', 'last'])
          got[key]!.data.forEach((value, index) => expect(value).toBeCloseTo(expected[key]!.data[index]!, 4));
        const gradients = got['gradients'] as unknown as Record<string, HostTensor>;
        const reference = expected['gradients'] as unknown as Record<string, HostTensor>;
        for (const key of ['x', 'y'])
          gradients[key]!.data.forEach((value, index) =>
            expect(value).toBeCloseTo(reference[key]!.data[index]!, 4),
          );
      }),
      { numRuns: 40 },
    );
  });

  test('keeps infinities, not-a-number and signed zeros apart', async () => {
    const compute = ({ x }: { x: Tensor }) => {
      const positive = ops.greater(x, 0);
      const [inf, minus, none] = [Infinity, -Infinity, NaN].map((value) => ops.fill([2], value)) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      return {
        signs: ops.where(positive, inf, minus),
        none: ops.where(positive, inf, none),
        zeros: ops.concat([ops.div(1, ops.fill([1], -0)), ops.div(1, ops.fill([1], 0))]),
        small: ops.log1p(ops.mul(x, 1e-9)),
      };
    };
    const args = { x: float32([2], [1, -1]) };
    const expected = await eager.run({ name: 'specials', compute }, args);
    const got = await compiled.run({ name: 'specials', compute }, args);
    for (const key of ['signs', 'none', 'zeros'] as const)
      expect([...(await data(compiled, got[key]))]).toEqual([...(await data(eager, expected[key]))]);
    expect((await data(compiled, got.small))[0]).toBeCloseTo(1e-9, 15);
  });

  test('products with batches and flags equal tfjs', async () => {
    const a = float32(
      [2, 2, 3],
      Array.from({ length: 12 }, (_, index) => Math.sin(index)),
    );
    for (const [transposeA, transposeB] of [
      [false, true],
      [true, false],
      [false, false],
      [true, true],
    ] as const) {
      // prettier-ignore
      const compute = ({ x }: { x: Tensor }): Tensor => {
        const y = transposeA === transposeB ? ops.transpose(x, [0, 2, 1]) : x;
        return ops.matMul(x, y, transposeA, transposeB);
      };
      const definition = { name: `product ${String(transposeA)} ${String(transposeB)}`, compute };
      const expected = await data(eager, await eager.run(definition, { x: a }));
      const got = await data(compiled, await compiled.run(definition, { x: a }));
      got.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 5));
    }
  });

  test('a gather within rows picks elements', async () => {
    const compute = ({ x, i }: { x: Tensor; i: Tensor }): Tensor => ops.gather(x, i, 1, 1);
    const args = { x: matrix, i: int32([2, 1], [2, 0]) };
    expect([...(await data(compiled, await compiled.run({ name: 'pick', compute }, args as never)))]).toEqual(
      [2, 1.5],
    );
  });
});
