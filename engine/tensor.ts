/** @file Tensors: on the host (typed arrays) and wherever an executor keeps them. Knows nothing about tfjs or ONNX. */
import { complain } from '../foundation/index.js';

export type DType = 'float32' | 'int32';

/** A dense row-major tensor in host memory. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** A tensor that an executor owns: host memory on CPU, a device buffer elsewhere. Opaque outside the executor. */
export interface Value {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** True for a leaf of a tree of values. */
export function isValue(node: unknown): node is Value {
  return typeof node === 'object' && node !== null && 'dtype' in node && 'shape' in node;
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
