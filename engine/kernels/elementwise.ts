/** @file Elementwise kernels: arithmetic, functions, comparisons, logic, selection, casts. */
import type { Attributes, ElementType, Meta } from '../program.js';
import { at, broadcastShapes, ONNX_TYPE, type Kernel, type KernelTable, type Lowering } from './kernel.js';

function elementwise(inputs: Kernel['inputs'], lower: Kernel['lower'], dtype?: ElementType): Kernel {
  return {
    inputs,
    infer: (metas) => ({
      shape: broadcastShapes(metas.map((meta) => meta.shape)),
      dtype: dtype ?? at(metas, metas.length - 1).dtype,
    }),
    lower,
  };
}

const unary = (type: string): Kernel => elementwise(['x'], ({ emit, inputs }) => emit.op(type, inputs));
const binary = (type: string, dtype?: ElementType): Kernel =>
  elementwise(['a', 'b'], ({ emit, inputs }) => emit.op(type, inputs), dtype);

function lowerCast({ emit, inputs, output }: Lowering): string {
  return emit.op('Cast', inputs, { to: ONNX_TYPE[output.dtype] });
}

/** 0 up to zero, 1 above; gradients ask for no other slope below zero. */
function lowerStep({ emit, inputs, output, attributes }: Lowering): string {
  if ((attributes['alpha'] ?? 0) !== 0)
    throw new Error('kernel: step with a slope below zero has no lowering');
  const positive = emit.op('Greater', [at(inputs, 0), emit.scalar(0, output.dtype)]);
  return emit.op('Cast', [positive], { to: ONNX_TYPE[output.dtype] });
}

/** log(u)·x/(u−1) with u = 1 + x, or x where u rounds to 1: as exact near zero as a log1p (Kahan). */
function lowerLog1p({ emit, inputs, output }: Lowering): string {
  const x = at(inputs, 0);
  const one = emit.scalar(1, output.dtype);
  const u = emit.op('Add', [x, one]);
  const scaled = emit.op('Mul', [emit.op('Log', [u]), emit.op('Div', [x, emit.op('Sub', [u, one])])]);
  return emit.op('Where', [emit.op('Equal', [u, one]), x, scaled]);
}

function lowerClip({ emit, inputs, attributes }: Lowering): string {
  const bound = (name: string): string => emit.scalar(attributes[name] as number, 'float32');
  return emit.op('Clip', [at(inputs, 0), bound('clipValueMin'), bound('clipValueMax')]);
}

function squared({ emit, inputs }: Lowering): string {
  const difference = emit.op('Sub', inputs);
  return emit.op('Mul', [difference, difference]);
}

const cast: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes: Attributes) => ({
    shape: (x as Meta).shape,
    dtype: attributes['dtype'] as ElementType,
  }),
  lower: lowerCast,
};

export const elementwiseKernels: KernelTable = {
  Add: binary('Add'),
  AddN: elementwise('list', ({ emit, inputs }) => emit.op('Sum', inputs)),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('Div'),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: binary('Pow'),
  SquaredDifference: elementwise(['a', 'b'], squared),
  Greater: binary('Greater', 'bool'),
  GreaterEqual: binary('GreaterOrEqual', 'bool'),
  Less: binary('Less', 'bool'),
  LessEqual: binary('LessOrEqual', 'bool'),
  Equal: binary('Equal', 'bool'),
  NotEqual: elementwise(['a', 'b'], ({ emit, inputs }) => emit.op('Not', [emit.op('Equal', inputs)]), 'bool'),
  LogicalAnd: binary('And', 'bool'),
  LogicalOr: binary('Or', 'bool'),
  LogicalNot: unary('Not'),
  Neg: unary('Neg'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Log1p: elementwise(['x'], lowerLog1p),
  Sqrt: unary('Sqrt'),
  Rsqrt: elementwise(['x'], ({ emit, inputs }) => emit.op('Reciprocal', [emit.op('Sqrt', inputs)])),
  Reciprocal: unary('Reciprocal'),
  Square: elementwise(['x'], ({ emit, inputs }) => emit.op('Mul', [at(inputs, 0), at(inputs, 0)])),
  Sigmoid: unary('Sigmoid'),
  Tanh: unary('Tanh'),
  Erf: unary('Erf'),
  Abs: unary('Abs'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Relu: unary('Relu'),
  Softplus: unary('Softplus'),
  Step: elementwise(['x'], lowerStep),
  ClipByValue: elementwise(['x'], lowerClip),
  Select: elementwise(['condition', 't', 'e'], ({ emit, inputs }) => emit.op('Where', inputs)),
  Cast: cast,
};
