/** @file Programs in 16 bits: what is rounded, what is not, and by how much results may differ. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  float32,
  HALF_TYPES,
  onnxruntimeExecutor,
  ops,
  valueAndGradients,
  type HalfType,
  type HostTensor,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import { evaluateProgram } from '../../engine/evaluate.js';
import { halved } from '../../engine/halve.js';
import { simplify } from '../../engine/simplify.js';
import { trace } from '../../engine/trace.js';
import { matricesArbitrary, programArbitrary } from '../helpers/programs.js';

/** Unit roundoff: the largest relative error of rounding to the type. */
const ROUNDOFF: Readonly<Record<HalfType, number>> = { float16: 2 ** -11, bfloat16: 2 ** -8 };

const engines = {
  float32: createEngine(onnxruntimeExecutor({ threads: 1 })),
  float16: createEngine(onnxruntimeExecutor({ threads: 1, precision: 'float16' })),
  bfloat16: createEngine(onnxruntimeExecutor({ threads: 1, precision: 'bfloat16' })),
};
afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.dispose();
});

type Args = Readonly<Record<'x' | 'w' | 'v', Tensor>>;

/** Two products with a function between them, a norm of the result. */
const layers = ({ x, w, v }: Args): Tensor => {
  const h = ops.matMul(x, w);
  const y = ops.matMul(ops.mul(h, ops.sigmoid(h)), v);
  return ops.sqrt(ops.sum(ops.square(ops.add(x, y)), -1));
};
const square = { dtype: 'float32', shape: [4, 4] } as const;
const traced = (compute: (args: never) => Tensor) =>
  simplify(trace({ name: 'layers', compute: compute as never, args: { x: square, w: square, v: square } }));

describe.each(HALF_TYPES)('a program in %s', (type) => {
  it('rounds operands and results of products, and neither sums nor the stream beside them', () => {
    const gpu = halved(traced(layers), { type, products: 'half', elementwise: true });
    const typeOf = (kernel: string) =>
      gpu.nodes.filter((node) => node.kernel === kernel).map((node) => node.dtype);
    expect(typeOf('BatchMatMul')).toEqual([type, type]);
    expect(typeOf('Sigmoid')).toEqual([type]);
    expect(typeOf('Multiply')).toEqual([type]);
    for (const kernel of ['Add', 'Square', 'Sum', 'Sqrt']) expect(new Set(typeOf(kernel))).toEqual(new Set(['float32'])); // prettier-ignore
    expect([...gpu.outputs.values()].map((id) => gpu.nodes[id]!.dtype)).toEqual(['float32']);
  });

  it('sums products in float32 where the runtime would not', () => {
    const cpu = halved(traced(layers), { type, products: 'float32', elementwise: false });
    const products = cpu.nodes.filter(({ kernel }) => kernel === 'BatchMatMul');
    expect(products.map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
    for (const { inputs } of products)
      for (const input of inputs) {
        const { kernel, inputs: from } = cpu.nodes[input]!;
        expect([kernel, cpu.nodes[from[0]!]!.dtype]).toEqual(['Cast', type]);
      }
  });

  it('computes the same by the CPU as by the reference, rounding by rounding', async () => {
    await fc.assert(
      fc.asyncProperty(programArbitrary, matricesArbitrary, async (definition, args) => {
        const got = (await engines[type].run(definition, args)) as unknown as Record<string, HostTensor>;
        const program = simplify(trace({ ...definition, args }));
        const reference = evaluateProgram(
          halved(program, { type, products: 'float32', elementwise: false }),
          new Map(Object.entries(args)),
        );
        // A sum in another order may round to the other neighbour.
        const last = reference.get('last')!;
        got['last']!.data.forEach((value, at) =>
          expect(Math.abs(value - last[at]!)).toBeLessThanOrEqual(
            8 * ROUNDOFF[type] * Math.max(1, Math.abs(last[at]!)),
          ),
        );
      }),
      { numRuns: 15 },
    );
  });

  it('differs from float32 by a few roundoffs of what is multiplied', async () => {
    const wave = (from: number) =>
      float32(
        [4, 4],
        Array.from({ length: 16 }, (_, at) => Math.sin(from + at)),
      );
    const args = { x: wave(0), w: wave(1), v: wave(2) };
    const [wide, half] = await Promise.all(
      [engines.float32, engines[type]].map(async (engine) => {
        const value = (await engine.run({ name: 'layers', compute: layers as never }, args)) as Value;
        return (await engine.download(value)).data;
      }),
    );
    const error = Math.max(...[...wide!].map((value, at) => Math.abs(half![at]! / value - 1)));
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(6 * ROUNDOFF[type]);
  });
});

describe('a scaled loss', () => {
  const definition = (share: number) => ({
    name: `scaled, ${share} of it`,
    compute: ({ x, w, scale }: Readonly<Record<'x' | 'w' | 'scale', Tensor>>) => {
      const { loss, gradients } = valueAndGradients(
        (inputs) => ({ loss: ops.mul(share, ops.mean(ops.square(ops.matMul(x, inputs['w']!)))), aux: {} }),
        { w },
        scale,
      );
      return { loss, gradient: gradients['w']! };
    },
  });
  const gradientWith = async (engine: typeof engines.float32, size: number, scale: number, share = 1) => {
    const wave = float32(
      [4, 4],
      Array.from({ length: 16 }, (_, at) => size * Math.sin(at)),
    );
    const found = await engine.run(definition(share) as never, {
      x: wave,
      w: wave,
      scale: float32([], [scale]),
    });
    const { loss, gradient } = found as unknown as Record<'loss' | 'gradient', Value>;
    return { loss: (await engine.download(loss)).data, gradient: (await engine.download(gradient)).data };
  };

  it('has the same gradients, bit for bit, whatever power of two it is scaled with, while none leaves the normal numbers', async () => {
    for (const engine of [engines.float32, engines.float16, engines.bfloat16]) {
      const plain = await gradientWith(engine, 1, 1);
      for (const scale of [2, 64, 1024]) expect(await gradientWith(engine, 1, scale)).toEqual(plain);
    }
  });

  it('keeps gradients that float16 alone would lose', async () => {
    const exact = (await gradientWith(engines.float32, 1, 1, 1e-7)).gradient;
    const error = async (scale: number): Promise<number> => {
      const { gradient } = await gradientWith(engines.float16, 1, scale, 1e-7);
      const most = Math.max(...[...exact].map(Math.abs));
      return Math.max(...[...exact].map((value, at) => Math.abs(gradient[at]! - value))) / most;
    };
    expect(await error(1)).toBeGreaterThan(0.5);
    expect(await error(2 ** 16)).toBeLessThan(2e-3);
  });

  it('overflows to what is not finite, never to a wrong number', async () => {
    const { loss, gradient } = await gradientWith(engines.float16, 8, 2 ** 24);
    expect(loss.every(Number.isFinite)).toBe(true);
    expect(gradient.every(Number.isFinite)).toBe(false);
  });
});
