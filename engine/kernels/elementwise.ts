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
const one = (lowering: Lowering): string => lowering.emit.scalar(1, lowering.output.dtype);

function lowerCast({ emit, inputs, output }: Lowering): string {
  return emit.op('Cast', inputs, { to: ONNX_TYPE[output.dtype] });
}

/** tfjs's step is 0 below zero, `alpha` times nothing we use, 1 above. */
function lowerStep({ emit, inputs, output }: Lowering): string {
  const positive = emit.op('Greater', [at(inputs, 0), emit.scalar(0, output.dtype)]);
  return emit.op('Cast', [positive], { to: ONNX_TYPE[output.dtype] });
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
  Log1p: elementwise(['x'], (lowering) =>
    lowering.emit.op('Log', [lowering.emit.op('Add', [at(lowering.inputs, 0), one(lowering)])]),
  ),
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
