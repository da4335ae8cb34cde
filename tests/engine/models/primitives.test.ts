/** @file Hand-given gradients against the tape's and against finite differences. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  float32,
  int32,
  ops,
  valueAndGradients,
  type HostTensor,
  type Tensor,
} from '../../../engine/index.js';
import { ACTIVATIONS, activate, type Activation } from '../../../engine/models/activation.js';
import { layerNorm } from '../../../engine/models/layer-norm.js';
import { rmsNorm } from '../../../engine/models/rms-norm.js';
import { rotate, rotation, scaled } from '../../../engine/models/rope.js';
import { swiglu } from '../../../engine/models/swiglu.js';
import { evaluate, gap, noise, tinyConfig } from './tiny.js';

type Function = (inputs: Record<string, Tensor>) => Tensor;

/** The function under test, and the same written so that the tape differentiates it. */
interface Subject {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly given: Function;
  readonly taped: Function;
}

const positions = [0, 3, 1, 7, 2, 60];
function rotationOf(): ReturnType<typeof rotation> {
  return scaled(rotation(tinyConfig().rope!, ops.tensor2d(positions, [2, 3], 'int32')), 0.5);
}

/** The definitions, written out: Φ by erf, and its approximation by tanh. */
const plain = (name: Activation) => (x: Tensor): Tensor => {
  if (name === 'relu') return ops.maximum(x, 0);
  if (name === 'silu' || name === 'swish') return ops.mul(x, ops.sigmoid(x));
  const cubic = ops.add(x, ops.mul(ops.mul(ops.mul(x, x), x), 0.044715));
  const bend = ['gelu', 'gelu_python'].includes(name)
    ? ops.erf(ops.div(x, Math.SQRT2))
    : ops.tanh(ops.mul(cubic, Math.sqrt(2 / Math.PI)));
  return ops.mul(ops.mul(x, 0.5), ops.add(bend, 1));
}; // prettier-ignore

const activations: Readonly<Record<string, Subject>> = Object.fromEntries(
  ACTIVATIONS.map((name) => [
    name,
    {
      shapes: { x: [4, 3] },
      given: ({ x }) => activate(name, x!),
      taped: ({ x }) => plain(name)(x!),
    },
  ]),
);

const subjects: Readonly<Record<string, Subject>> = {
  rmsNorm: {
    shapes: { x: [5, 6], weight: [6] },
    given: ({ x, weight }) => rmsNorm(x!, weight!, 1e-5),
    taped: ({ x, weight }) =>
      ops.mul(ops.div(x!, ops.sqrt(ops.add(ops.mean(ops.square(x!), -1, true), 1e-5))), weight!),
  },
  ...activations,
  layerNorm: {
    shapes: { x: [5, 6], weight: [6], bias: [6] },
    given: ({ x, weight, bias }) => layerNorm(x!, weight!, bias!, 1e-5),
    taped: ({ x, weight, bias }) => {
      const centred = ops.sub(x!, ops.mean(x!, -1, true));
      const deviation = ops.sqrt(ops.add(ops.mean(ops.square(centred), -1, true), 1e-5));
      return ops.add(ops.mul(ops.div(centred, deviation), weight!), bias!);
    },
  },
  swiglu: {
    shapes: { gate: [4, 3], up: [4, 3] },
    given: ({ gate, up }) => swiglu(gate!, up!),
    taped: ({ gate, up }) => ops.mul(ops.mul(gate!, ops.sigmoid(gate!)), up!),
  },
  rotate: {
    shapes: { x: [2, 2, 3, 4] },
    given: ({ x }) => rotate(x!, rotationOf()),
    taped: ({ x }) => {
      const { cos_B1TK, sin_B1TK } = rotationOf();
      const [left, right] = ops.split(x!, 2, 3) as [Tensor, Tensor];
      return ops.add(ops.mul(x!, cos_B1TK), ops.mul(ops.concat([right, left], 3), sin_B1TK));
    },
  },
};

/** Σ weights·f, and its gradients. */
const differentiated = (f: Function) => (args: { inputs: Record<string, Tensor>; weights: Tensor }) => {
  const { loss, gradients } = valueAndGradients(
    (inputs) => ({ loss: ops.sum(ops.mul(f(inputs), args.weights)), aux: {} }),
    args.inputs,
  );
  return { loss, ...gradients };
};

describe.each(Object.entries(subjects))('%s', (_, { shapes, given, taped }) => {
  const inputsOf = (seed: number) =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape], index) => [name, noise(seed + index, shape)]),
    );
  const weightsOf = (seed: number) => noise(seed + 100, Object.values(shapes)[0]!);

  it('gives the value and the gradients that the tape gives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const args = { inputs: inputsOf(seed), weights: weightsOf(seed) };
        const [ours, theirs] = [
          await evaluate(args, differentiated(given)),
          await evaluate(args, differentiated(taped)),
        ];
        expect(Object.keys(ours)).toEqual(['loss', ...Object.keys(shapes)]);
        for (const [name, tensor] of Object.entries(ours))
          expect(gap(tensor, (theirs as Record<string, HostTensor>)[name]!)).toBeLessThan(2e-5);
      }),
      { numRuns: 20 },
    );
  });

  it('gives the gradients that finite differences give', async () => {
    const args = { inputs: inputsOf(3), weights: weightsOf(3) };
    const gradients = (await evaluate(args, differentiated(given))) as Record<string, HostTensor>;
    const step = 1e-2;
    for (const [name, { shape, data }] of Object.entries(args.inputs)) {
      for (let index = 0; index < data.length; index++) {
        const lossAt = async (change: number): Promise<number> => {
          const moved = Float32Array.from(data);
          moved[index]! += change;
          const inputs = { ...args.inputs, [name]: float32(shape, moved) };
          return (await evaluate({ ...args, inputs }, differentiated(given))).loss.data[0]!;
        };
        const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
        expect(Math.abs(slope - gradients[name]!.data[index]!)).toBeLessThan(5e-3);
      }
    }
  });
});

describe('rotation', () => {
  it('keeps lengths, and angles depend on differences of positions only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.nat(20), fc.nat(20), fc.nat(20), async (seed, q, k, shift) => {
        const args = {
          q: noise(seed, [1, 1, 1, 4]),
          k: noise(seed + 1, [1, 1, 1, 4]),
          at: int32([4, 1], [q, k, q + shift, k + shift]),
        };
        const result = await evaluate(args, (tensors: { q: Tensor; k: Tensor; at: Tensor }) => {
          const placed = (x: Tensor, row: number): Tensor =>
            rotate(x, rotation(tinyConfig().rope!, ops.slice(tensors.at, [row, 0], [1, 1])));
          const dot = (a: Tensor, b: Tensor): Tensor => ops.sum(ops.mul(a, b));
          return {
            before: dot(tensors.q, tensors.q),
            after: dot(placed(tensors.q, 0), placed(tensors.q, 0)),
            here: dot(placed(tensors.q, 0), placed(tensors.k, 1)),
            there: dot(placed(tensors.q, 2), placed(tensors.k, 3)),
          };
        });
        expect(gap(result.before, result.after)).toBeLessThan(1e-4);
        expect(gap(result.here, result.there)).toBeLessThan(1e-4);
      }),
      { numRuns: 20 },
    );
  });
});
