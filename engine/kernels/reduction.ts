/** @file Reductions over axes, softmax, argmax. */
import type { Attributes, Meta } from '../program.js';
import { at, ONNX_TYPE, type Kernel, type KernelTable, type Lowering } from './kernel.js';

/** tfjs passes an axis, a list or nothing (all), under either of two names; negative ones count from the end. */
export function axesOf(attributes: Attributes, rank: number): number[] {
  const given = attributes['axis'] ?? attributes['reductionIndices'];
  if (given === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof given === 'number' ? [given] : given) as readonly number[];
  return list.map((axis) => (axis < 0 ? axis + rank : axis));
}

function reduction(type: string): Kernel {
  const lower = ({ emit, inputs, metas, attributes }: Lowering): string => {
    const axes = axesOf(attributes, at(metas, 0).shape.length);
    if (axes.length === 0) return at(inputs, 0);
    return emit.op(type, [at(inputs, 0), emit.int64(axes)], {
      keepdims: attributes['keepDims'] === true ? 1 : 0,
    });
  };
  return { inputs: ['x'], infer: ([x], attributes) => reduced(x as Meta, attributes), lower };
}

function reduced({ shape, dtype }: Meta, attributes: Attributes): Meta {
  const axes = axesOf(attributes, shape.length);
  if (attributes['keepDims'] === true)
    return { shape: shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent)), dtype };
  return { shape: shape.filter((_, axis) => !axes.includes(axis)), dtype };
}

/** tfjs only takes softmax over the last axis. */
function softmax(type: string): Kernel {
  return {
    inputs: ['logits'],
    infer: ([logits]) => logits as Meta,
    lower: ({ emit, inputs }) => emit.op(type, inputs, { axis: -1 }),
  };
}

const argMax: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes) => ({ shape: reduced(x as Meta, attributes).shape, dtype: 'int32' }),
  lower: ({ emit, inputs, metas, attributes }) => {
    const axis = at(axesOf(attributes, at(metas, 0).shape.length), 0);
    return emit.op('Cast', [emit.op('ArgMax', inputs, { axis, keepdims: 0 })], { to: ONNX_TYPE.int32 });
  },
};

export const reductionKernels: KernelTable = {
  Sum: reduction('ReduceSum'),
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Softmax: softmax('Softmax'),
  ArgMax: argMax,
};
