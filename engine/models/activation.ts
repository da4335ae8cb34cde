/** @file Activation functions of MLPs, with slopes given by hand. Depends on tensor operations only. */
import type { GradSaveFunc } from '@tensorflow/tfjs';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';

/** A function's value, and its slope, from x. */
interface Curve {
  readonly value: (x: Tensor) => Tensor;
  readonly slope: (x: Tensor) => Tensor;
}

const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** tanh(√(2/π)·(x + 0.044715 x³)). */
function bend(x: Tensor): Tensor {
  return ops.tanh(ops.mul(ops.mul(x, ROOT), ops.add(ops.mul(ops.square(x), CUBIC), 1)));
}

const silu: Curve = {
  value: (x) => ops.mul(x, ops.sigmoid(x)),
  slope: (x) => {
    const sigmoid = ops.sigmoid(x);
    return ops.add(sigmoid, ops.mul(ops.mul(x, sigmoid), ops.sub(1, sigmoid)));
  },
};

/** x·Φ(x). */
const gelu: Curve = {
  value: (x) => ops.mul(ops.mul(x, 0.5), ops.add(ops.erf(ops.mul(x, Math.SQRT1_2)), 1)),
  slope: (x) => {
    const below = ops.mul(ops.add(ops.erf(ops.mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = ops.mul(ops.exp(ops.mul(ops.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return ops.add(below, ops.mul(x, density));
  },
};

/** GELU with a tanh for the normal distribution. */
const geluTanh: Curve = {
  value: (x) => ops.mul(ops.mul(x, 0.5), ops.add(bend(x), 1)),
  slope: (x) => {
    const bent = bend(x);
    const inner = ops.add(ops.mul(ops.square(x), 3 * CUBIC * ROOT), ROOT);
    const steep = ops.mul(ops.mul(ops.mul(x, 0.5), ops.sub(1, ops.square(bent))), inner);
    return ops.add(ops.mul(ops.add(bent, 1), 0.5), steep);
  },
};

const relu: Curve = {
  value: (x) => ops.relu(x),
  slope: (x) => ops.cast(ops.greater(x, 0), 'float32'),
};

/** By the names of `config.json`; several names are one function up to rounding. */
const CURVES = {
  silu,
  swish: silu,
  gelu,
  gelu_python: gelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_accurate: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  gelu_python_tanh: geluTanh,
  relu,
} as const satisfies Readonly<Record<string, Curve>>;

export type Activation = keyof typeof CURVES;
export const ACTIVATIONS = Object.keys(CURVES) as readonly Activation[];

export function isActivation(name: unknown): name is Activation {
  return (ACTIVATIONS as readonly unknown[]).includes(name);
}

/** The function at every element. */
export function activate(activation: Activation, x: Tensor): Tensor {
  const { value, slope } = CURVES[activation];
  return ops.customGrad((given, save) => {
    (save as GradSaveFunc)([given as Tensor]);
    return {
      value: value(given as Tensor),
      gradFunc: (dy: Tensor, saved: Tensor[]) => ops.mul(dy, slope(saved[0] as Tensor)),
    };
  })(x);
}
