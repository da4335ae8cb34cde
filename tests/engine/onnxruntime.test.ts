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
import { matricesArbitrary, programArbitrary } from '../helpers/programs.js';

const compiled = createEngine(onnxruntimeExecutor({ threads: 1 }), { cacheBytes: 2 ** 20 });
const eager = createEngine(tfjsExecutor());
afterAll(async () => {
  await compiled.dispose();
  await eager.dispose();
});

const data = async (engine: typeof eager, value: unknown): Promise<HostTensor['data']> =>
  (await engine.download(value as HostTensor)).data;

const matrix = float32([2, 3], [0.5, -1, 2, 1.5, 0.25, -0.75]);
const positive = float32([2, 3], [0.5, 1, 2, 1.5, 0.25, 0.75]);
type Unary = (x: Tensor) => Tensor;

/** One small function a kernel; the last test proves that no kernel of the table is left out. */
const cases: Readonly<Record<string, Unary>> = {
  Add: (x) => ops.add(x, ops.transpose(ops.reshape(x, [3, 2]))),
  AddN: (x) => ops.addN([x, x, x]),
  Sub: (x) => ops.sub(x, ops.slice(x, [0, 0], [1, 3])),
  Multiply: (x) => ops.mul(x, x),
  RealDiv: (x) => ops.div(1, x),
  Maximum: (x) => ops.maximum(x, 0.3),
  Minimum: (x) => ops.minimum(x, 0.3),
  Pow: (x) => ops.pow(ops.abs(x), 1.5),
  Greater: (x) => ops.cast(ops.greater(x, 0.5), 'float32'),
  GreaterEqual: (x) => ops.cast(ops.greaterEqual(x, 0.5), 'float32'),
  Less: (x) => ops.cast(ops.less(x, 0.5), 'float32'),
  LessEqual: (x) => ops.cast(ops.lessEqual(x, 0.5), 'float32'),
  Equal: (x) => ops.cast(ops.equal(x, 0.5), 'int32'),
  NotEqual: (x) => ops.cast(ops.notEqual(x, 0.5), 'float32'),
  LogicalAnd: (x) => ops.cast(ops.logicalAnd(ops.less(x, 1), ops.greater(x, 0)), 'float32'),
  LogicalOr: (x) => ops.cast(ops.logicalOr(ops.less(x, 0), ops.greater(x, 1)), 'float32'),
  LogicalNot: (x) => ops.cast(ops.logicalNot(ops.less(x, 0)), 'float32'),
  Neg: ops.neg,
  Exp: ops.exp,
  Log: (x) => ops.log(ops.abs(x)),
  Log1p: (x) => ops.log1p(ops.abs(x)),
  Sqrt: (x) => ops.sqrt(ops.abs(x)),
  Rsqrt: (x) => ops.rsqrt(ops.abs(x)),
  Square: ops.square,
  Reciprocal: ops.reciprocal,
  Sigmoid: ops.sigmoid,
  Tanh: ops.tanh,
  Erf: ops.erf,
  Abs: ops.abs,
  Sign: ops.sign,
  Sin: ops.sin,
  Cos: ops.cos,
  Relu: ops.relu,
  Softplus: ops.softplus,
  ClipByValue: (x) => ops.clipByValue(x, -0.5, 0.5),
  Select: (x) => ops.where(ops.greater(x, 0), x, ops.neg(x)),
  Cast: (x) => ops.cast(ops.cast(x, 'int32'), 'float32'),
  Sum: (x) => ops.sum(x, -1),
  Mean: (x) => ops.mean(x, 0, true),
  Max: (x) => ops.max(x, 1),
  Min: (x) => ops.min(x, 1),
  Softmax: (x) => ops.softmax(x),
  LogSoftmax: (x) => ops.logSoftmax(x),
  ArgMax: (x) => ops.argMax(x, 1),
  Reshape: (x) => ops.reshape(x, [3, -1]),
  Transpose: (x) => ops.transpose(x),
  Slice: (x) => ops.slice(x, [0, 1], [2, 2]),
  Concat: (x) => ops.concat([x, ops.neg(x)], 1),
  PadV2: (x) => ops.pad(x, [[1, 0], [0, 2]], 7), // prettier-ignore
  Tile: (x) => ops.tile(x, [2, 2]),
  GatherV2: (x) => ops.gather(x, ops.tensor1d([2, 0], 'int32'), 1),
  UnsortedSegmentSum: (x) => ops.unsortedSegmentSum(x, ops.tensor1d([3, 3], 'int32'), 4),
  SplitV: (x) => ops.concat(ops.split(x, [1, -1], -1).reverse(), -1),
  Unpack: (x) => ops.stack(ops.unstack(x, -1).reverse(), -1),
  OneHot: (x) => ops.mul(ops.sum(x), ops.cast(ops.oneHot(ops.tensor1d([2, 0], 'int32'), 3), 'float32')),
  Fill: (x) => ops.mul(ops.sum(x), ops.fill([2, 2], 3)),
  BatchMatMul: (x) => ops.matMul(x, x, true, false),
};

describe('onnxruntimeExecutor', () => {
  test.each(Object.keys(cases))('kernel %s computes what tfjs computes', async (name) => {
    const compute = (args: unknown): Tensor => (cases[name] as Unary)((args as { x: Tensor }).x);
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
