/** @file Tensors: on the host (typed arrays) and wherever an executor keeps them. Knows nothing about tfjs or ONNX. */
import { fromBits, HALF_TYPES, toBits, type HalfType } from '../formats/index.js';
import { complain } from '../foundation/index.js';

export type DType = 'float32' | 'int32';

export { HALF_TYPES, type HalfType };

/** A dense row-major tensor in host memory. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Bit patterns of 16-bit floats in host memory. */
export interface HalfTensor {
  readonly dtype: HalfType;
  readonly shape: readonly number[];
  readonly data: Uint16Array;
}

/** A tensor that an executor owns: host memory on CPU, a device buffer elsewhere. Opaque outside the executor. */
export interface Value {
  readonly dtype: DType | HalfType;
  readonly shape: readonly number[];
}

/** True for a leaf of a tree of values. */
export function isValue(node: unknown): node is Value {
  return typeof node === 'object' && node !== null && 'dtype' in node && 'shape' in node;
}

/** True for what is kept in 16 bits; programs see it as float32, and executors give it out as that. */
export function isHalf(dtype: string): dtype is HalfType {
  return (HALF_TYPES as readonly string[]).includes(dtype);
}

/** A float32 tensor rounded to the nearest 16-bit floats, ties to even; what is too large for them becomes infinite. */
export function narrowed({ shape, data }: HostTensor, dtype: HalfType): HalfTensor {
  return { dtype, shape, data: toBits(dtype, data as Float32Array) };
}

/** 16-bit floats as float32: exact. */
export function widened({ dtype, shape, data }: HalfTensor): HostTensor {
  return { dtype: 'float32', shape, data: fromBits(dtype, data) };
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** A float32 host tensor; zero-filled without `data`. */
export function float32(shape: readonly number[], data?: Float32Array | readonly number[]): HostTensor {
  const filled =
    data instanceof Float32Array ? data : data ? Float32Array.from(data) : new Float32Array(sizeOf(shape));
  return checked({ dtype: 'float32', shape, data: filled });
}

/** An int32 host tensor; zero-filled without `data`. */
export function int32(shape: readonly number[], data?: Int32Array | readonly number[]): HostTensor {
  const filled =
    data instanceof Int32Array ? data : data ? Int32Array.from(data) : new Int32Array(sizeOf(shape));
  return checked({ dtype: 'int32', shape, data: filled });
}

/** Rows of row-major data of `count` rows, in the order named: a copy. */
export function rowsOf<A extends Float32Array | Int32Array>(
  data: A,
  count: number,
  rows: readonly number[],
): A {
  const width = data.length / count;
  const chosen = data.slice(0, rows.length * width) as A;
  rows.forEach((row, at) => chosen.set(data.subarray(row * width, (row + 1) * width), at * width));
  return chosen;
}

function checked(tensor: HostTensor): HostTensor {
  if (tensor.data.length === sizeOf(tensor.shape)) return tensor;
  return complain({
    code: 'TENSOR_SIZE',
    owner: 'tensor',
    expected: `${sizeOf(tensor.shape)} elements for shape [${tensor.shape.join(', ')}]`,
    got: `${tensor.data.length}`,
    hint: 'pass data that fills the shape',
  });
}
