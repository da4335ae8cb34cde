/** @file Random differentiable programs over small matrices, for the laws of tracing, simplification and lowering. */
import fc from 'fast-check';
import {
  float32,
  ops,
  valueAndGradients,
  type Definition,
  type HostTensor,
  type Tensor,
} from '../../engine/index.js';

type Step = (a: Tensor, b: Tensor) => Tensor;

const ROWS = 3;
const bounded = (x: Tensor): Tensor => ops.tanh(x);

const mask = (): Tensor => ops.cast(ops.tensor2d([1, 0, 0, 1, 1, 0, 0, 0, 1], [3, 3], 'int32'), 'bool');

/** Every step maps [3,3] × [3,3] to [3,3] and keeps values bounded, so that no tolerance need be wide. */
const steps: Readonly<Record<string, Step>> = {
  add: (a, b) => ops.add(a, b),
  subtract: (a, b) => ops.sub(a, b),
  multiply: (a, b) => ops.mul(bounded(a), bounded(b)),
  divide: (a, b) => ops.div(a, ops.add(ops.square(b), 1)),
  product: (a, b) => ops.matMul(bounded(a), bounded(b)),
  productOfTransposed: (a, b) => ops.matMul(bounded(a), ops.transpose(bounded(b)), false, true),
  productTransposed: (a, b) => ops.matMul(bounded(a), bounded(b), true, true),
  softmax: (a) => ops.softmax(a),
  logSoftmax: (a) => ops.logSoftmax(bounded(a)),
  rowSum: (a, b) => ops.sub(bounded(a), ops.sum(bounded(b), 1, true)),
  columnMean: (a, b) => ops.add(a, ops.mean(b, 0)),
  maximum: (a, b) => ops.maximum(a, b),
  sigmoid: (a) => ops.sigmoid(a),
  rsqrt: (a) => ops.rsqrt(ops.add(ops.square(a), 0.5)),
  silu: (a) => ops.mul(a, ops.sigmoid(a)),
  select: (a, b) => ops.where(mask(), a, ops.mul(b, 0.5)),
  neutral: (a) => ops.add(ops.mul(ops.neg(ops.neg(a)), 1), 0),
  reshapes: (a) => ops.reshape(ops.reshape(ops.reshape(a, [9]), [1, 9]), [ROWS, ROWS]),
  gather: (a) => ops.gather(a, ops.tensor1d([2, 0, 2], 'int32')),
  slices: (a, b) => ops.concat([ops.slice(a, [1, 0], [2, ROWS]), ops.slice(b, [0, 0], [1, ROWS])], 0),
  padded: (a) => ops.pad(ops.slice(a, [0, 1], [ROWS, 2]), [[0, 0], [1, 0]], 0.25), // prettier-ignore
  stacked: (a, b) => ops.sum(ops.stack([a, b], 1), 1),
  split: (a) => ops.concat(ops.split(a, 3, 1).reverse(), 1),
};

/** A random program over inputs `x` and `y` [3,3] that returns a value, a loss and the loss's gradients. */
export const programArbitrary: fc.Arbitrary<Definition> = fc
  .array(fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(1000), fc.nat(1000)), {
    minLength: 1,
    maxLength: 8,
  })
  .map((plan) => ({
    name: `random ${plan.map(([name, a, b]) => `${name}:${a}:${b}`).join(' ')}`,
    compute: (args) => {
      const { x, y } = args as Readonly<Record<'x' | 'y', Tensor>>;
      const { loss, aux, gradients } = valueAndGradients(
        (inputs) => {
          const values = [inputs['x'] as Tensor, inputs['y'] as Tensor];
          for (const [name, a, b] of plan)
            values.push(
              (steps[name] as Step)(values[a % values.length] as Tensor, values[b % values.length] as Tensor),
            );
          const last = ops.addN([values.at(-1) as Tensor, values[0] as Tensor, values[1] as Tensor]);
          return { loss: ops.mean(ops.square(last)), aux: { last } };
        },
        { x, y },
      );
      return { loss, last: aux.last, gradients };
    },
  }));

/** Values for `x` and `y`. */
export const matricesArbitrary: fc.Arbitrary<Record<'x' | 'y', HostTensor>> = fc.record({
  x: matrix(),
  y: matrix(),
});

function matrix(): fc.Arbitrary<HostTensor> {
  return fc
    .array(fc.integer({ min: -40, max: 40 }), { minLength: ROWS * ROWS, maxLength: ROWS * ROWS })
    .map((values) => float32([ROWS, ROWS], values.map((value) => value / 16))); // prettier-ignore
}
