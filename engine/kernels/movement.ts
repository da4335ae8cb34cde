/** @file Kernels that move or make elements: reshape, transpose, slice, concat, pad, tile, gather, segment sums, one-hot. */
import { complain } from '../../foundation/index.js';
import type { Attributes, ElementType, Meta } from '../program.js';
import { at, ONNX_TYPE, type Kernel, type KernelTable, type Lowering } from './kernel.js';

const numbers = (attributes: Attributes, name: string): readonly number[] =>
  attributes[name] as readonly number[];
const number = (attributes: Attributes, name: string): number => attributes[name] as number;

const reshape: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes) => ({
    shape: resolved(x as Meta, numbers(attributes, 'shape')),
    dtype: (x as Meta).dtype,
  }),
  lower: ({ emit, inputs, output }) =>
    emit.op('Reshape', [at(inputs, 0), emit.int64(output.shape)], { allowzero: 1 }),
};

/** Fills in the one extent that may be given as −1. */
function resolved(x: Meta, shape: readonly number[]): number[] {
  const size = x.shape.reduce((product, extent) => product * extent, 1);
  const known = shape.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
  return shape.map((extent) => (extent === -1 ? size / known : extent));
}

const transpose: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes) => ({
    shape: numbers(attributes, 'perm').map((axis) => at((x as Meta).shape, axis)),
    dtype: (x as Meta).dtype,
  }),
  lower: ({ emit, inputs, attributes }) =>
    emit.op('Transpose', inputs, { perm: numbers(attributes, 'perm') }),
};

const slice: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes) => {
    const begin = numbers(attributes, 'begin');
    const shape = numbers(attributes, 'size').map((size, axis) =>
      size === -1 ? at((x as Meta).shape, axis) - at(begin, axis) : size,
    );
    return { shape, dtype: (x as Meta).dtype };
  },
  lower: ({ emit, inputs, output, attributes }) => {
    const begin = numbers(attributes, 'begin');
    const ends = output.shape.map((extent, axis) => at(begin, axis) + extent);
    return emit.op('Slice', [
      at(inputs, 0),
      emit.int64(begin),
      emit.int64(ends),
      emit.int64(begin.map((_, axis) => axis)),
    ]);
  },
};

const concat: Kernel = {
  inputs: 'list',
  infer: (metas, attributes) => {
    const first = at(metas, 0);
    const axis = positive(number(attributes, 'axis'), first.shape.length);
    const total = metas.reduce((sum, meta) => sum + at(meta.shape, axis), 0);
    return {
      shape: first.shape.map((extent, index) => (index === axis ? total : extent)),
      dtype: first.dtype,
    };
  },
  lower: ({ emit, inputs, metas, attributes }) =>
    emit.op('Concat', inputs, { axis: positive(number(attributes, 'axis'), at(metas, 0).shape.length) }),
};

function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

const pad: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes) => {
    const paddings = attributes['paddings'] as readonly (readonly number[])[];
    const shape = (x as Meta).shape.map(
      (extent, axis) => extent + at(at(paddings, axis), 0) + at(at(paddings, axis), 1),
    );
    return { shape, dtype: (x as Meta).dtype };
  },
  lower: ({ emit, inputs, output, attributes }) => {
    const paddings = attributes['paddings'] as readonly (readonly number[])[];
    const amounts = [...paddings.map((pair) => at(pair, 0)), ...paddings.map((pair) => at(pair, 1))];
    return emit.op('Pad', [
      at(inputs, 0),
      emit.int64(amounts),
      emit.scalar(number(attributes, 'constantValue'), output.dtype),
    ]);
  },
};

const tile: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes) => ({
    shape: (x as Meta).shape.map((extent, axis) => extent * at(numbers(attributes, 'reps'), axis)),
    dtype: (x as Meta).dtype,
  }),
  lower: ({ emit, inputs, attributes }) =>
    emit.op('Tile', [at(inputs, 0), emit.int64(numbers(attributes, 'reps'))]),
};

const broadcastTo: Kernel = {
  inputs: ['x'],
  infer: ([x], attributes) => ({ shape: numbers(attributes, 'shape'), dtype: (x as Meta).dtype }),
  lower: ({ emit, inputs, output }) => emit.op('Expand', [at(inputs, 0), emit.int64(output.shape)]),
};

const gather: Kernel = {
  inputs: ['x', 'indices'],
  infer: ([x, indices], attributes) => {
    const { shape, dtype } = x as Meta;
    const axis = positive(number(attributes, 'axis'), shape.length);
    const picked = (indices as Meta).shape.slice(number(attributes, 'batchDims'));
    return { shape: [...shape.slice(0, axis), ...picked, ...shape.slice(axis + 1)], dtype };
  },
  lower: lowerGather,
};

/** A gather within rows (one batch dimension, matrices) picks elements; any other must not be batched. */
function lowerGather({ emit, inputs, metas, attributes }: Lowering): string {
  const axis = positive(number(attributes, 'axis'), at(metas, 0).shape.length);
  const batchDims = number(attributes, 'batchDims');
  if (batchDims === 0) return emit.op('Gather', inputs, { axis });
  if (batchDims === 1 && axis === 1 && metas.every((meta) => meta.shape.length === 2))
    return emit.op('GatherElements', inputs, { axis });
  return complain({
    code: 'TRACE_NO_LOWERING',
    owner: 'trace',
    expected: 'a gather without batch dimensions, or within the rows of a matrix',
    got: `axis ${axis}, batchDims ${batchDims}`,
    hint: 'write it as a one-hot product, or add its lowering to engine/kernels/movement.ts',
  });
}

/** Adds rows of x into numSegments rows; ids outside the range are dropped, as in tfjs. */
const segmentSum: Kernel = {
  inputs: ['x', 'segmentIds'],
  infer: ([x], attributes) => ({
    shape: [number(attributes, 'numSegments'), ...(x as Meta).shape.slice(1)],
    dtype: (x as Meta).dtype,
  }),
  lower: ({ emit, inputs, metas, output }) => {
    const ids = emit.op('Unsqueeze', [at(inputs, 1), emit.int64([-1])]);
    const zeros = emit.op('Expand', [emit.scalar(0, output.dtype), emit.int64(output.shape)]);
    if (at(metas, 1).shape.length !== 1) throw new Error('kernel: segment ids must be a vector');
    const ids64 = emit.op('Cast', [ids], { to: 7 });
    return emit.op('ScatterND', [zeros, ids64, at(inputs, 0)], { reduction: 'add' });
  },
};

/** ONNX Runtime on CPU has no OneHot for int32: compare with a range instead. */
const oneHot: Kernel = {
  inputs: ['indices'],
  infer: ([indices], attributes) => ({
    shape: [...(indices as Meta).shape, number(attributes, 'depth')],
    dtype: (attributes['dtype'] as ElementType | undefined) ?? 'float32',
  }),
  lower: ({ emit, inputs, output, attributes }) => {
    const depth = number(attributes, 'depth');
    const range = emit.constant(
      Int32Array.from({ length: depth }, (_, index) => index),
      { shape: [depth], dtype: 'int32' },
    );
    const hit = emit.op('Equal', [emit.op('Unsqueeze', [at(inputs, 0), emit.int64([-1])]), range]);
    const value = (name: string): string => emit.scalar(number(attributes, name), output.dtype);
    if (number(attributes, 'offValue') !== 0)
      return emit.op('Where', [hit, value('onValue'), value('offValue')]);
    // The runtime chooses on one thread, but casts and multiplies on all.
    const ones = emit.op('Cast', [hit], { to: ONNX_TYPE[output.dtype] });
    return number(attributes, 'onValue') === 1 ? ones : emit.op('Mul', [ones, value('onValue')]);
  },
};

/** One value everywhere; kept as a scalar and a shape until something needs every element. */
const fill: Kernel = {
  inputs: [],
  infer: (_, attributes) => ({
    shape: numbers(attributes, 'shape'),
    dtype: attributes['dtype'] as ElementType,
  }),
  lower: ({ emit, output, attributes }) => {
    const value = emit.scalar(number(attributes, 'value'), output.dtype);
    return output.shape.length === 0 ? value : emit.op('Expand', [value, emit.int64(output.shape)]);
  },
};

export const movementKernels: KernelTable = {
  Reshape: reshape,
  Transpose: transpose,
  Slice: slice,
  Concat: concat,
  PadV2: pad,
  Tile: tile,
  BroadcastTo: broadcastTo,
  GatherV2: gather,
  UnsortedSegmentSum: segmentSum,
  OneHot: oneHot,
  Fill: fill,
};
