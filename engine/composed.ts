/** @file tfjs kernels that are written with others while tracing, so that the table stays small. */
import { at } from './kernels/index.js';
import type { Attributes, ElementType } from './program.js';
import type { Recorder, TensorInfo } from './recorder.js';

/** Inputs by tfjs name. */
export type Inputs = Readonly<Record<string, TensorInfo>>;
/** Records one kernel call; returns its results. */
export type RecordKernel = (recorder: Recorder, inputs: Inputs, attributes: Attributes) => number | number[];

/** Kernels that are written with others while tracing. */
export const composed: Readonly<Record<string, RecordKernel>> = {
  Identity: (recorder, { x }, { boundary }) => {
    const id = recorder.idOf(x as TensorInfo);
    if (boundary !== undefined) recorder.mark(id, { boundary });
    return id;
  },
  ExpandDims: (recorder, { input }, { dim }) => {
    const { shape } = input as TensorInfo;
    const axis = fromStart(dim as number, shape.length + 1);
    const target = [...shape.slice(0, axis), 1, ...shape.slice(axis)];
    return recorder.apply('Reshape', [recorder.idOf(input as TensorInfo)], { shape: target });
  },
  ZerosLike: (recorder, { x }) => filledLike(recorder, x as TensorInfo, 0),
  OnesLike: (recorder, { x }) => filledLike(recorder, x as TensorInfo, 1),
  Range: (recorder, _, { start, stop, step, dtype }) => {
    const length = Math.max(0, Math.ceil(((stop as number) - (start as number)) / (step as number)));
    const values = Array.from({ length }, (__, index) => (start as number) + index * (step as number));
    const type = dtype as ElementType;
    return recorder.literal(type === 'int32' ? Int32Array.from(values) : Float32Array.from(values), {
      shape: [length],
      dtype: type,
    });
  },
  SplitV: (recorder, { x }, { numOrSizeSplits, axis }) =>
    split(recorder, x as TensorInfo, numOrSizeSplits as number | number[], axis as number),
  Unpack: (recorder, { value }, { axis }) => {
    const { shape } = value as TensorInfo;
    const along = fromStart(axis as number, shape.length);
    const parts = split(recorder, value as TensorInfo, at(shape, along), along);
    const rest = shape.filter((_, index) => index !== along);
    return parts.map((part) => recorder.apply('Reshape', [part], { shape: rest }));
  },
  Pack: (recorder, inputs, { axis }) => {
    const list = Object.values(inputs);
    const shape = at(list, 0).shape;
    const along = fromStart(axis as number, shape.length + 1);
    const wide = [...shape.slice(0, along), 1, ...shape.slice(along)];
    const parts = list.map((info) => recorder.apply('Reshape', [recorder.idOf(info)], { shape: wide }));
    return recorder.apply('Concat', parts, { axis: along });
  },
};

function filledLike(recorder: Recorder, { shape, dtype }: TensorInfo, value: number): number {
  return recorder.apply('Fill', [], { shape, value, dtype });
}

function split(recorder: Recorder, x: TensorInfo, sizes: number | readonly number[], axis: number): number[] {
  const along = fromStart(axis, x.shape.length);
  const extent = at(x.shape, along);
  const list =
    typeof sizes === 'number'
      ? Array.from({ length: sizes }, () => extent / sizes)
      : completed(sizes, extent);
  let start = 0;
  return list.map((size) => {
    const begin = x.shape.map((_, index) => (index === along ? start : 0));
    start += size;
    const shape = x.shape.map((full, index) => (index === along ? size : full));
    return recorder.apply('Slice', [recorder.idOf(x)], { begin, size: shape });
  });
}

/** Negative axes count from the end. */
function fromStart(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Fills in the one size that may be given as −1. */
function completed(sizes: readonly number[], extent: number): number[] {
  const known = sizes.reduce((sum, size) => (size === -1 ? sum : sum + size), 0);
  return sizes.map((size) => (size === -1 ? extent - known : size));
}
