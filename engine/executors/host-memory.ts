/** @file Values in host memory as the runtime sees them. The binding has no bfloat16: its bits are passed as whole numbers. */
import * as ort from 'onnxruntime-node';
import type { Meta } from '../program.js';
import {
  float32,
  int32,
  isHalf,
  sizeOf,
  widened,
  type HalfTensor,
  type HostTensor,
  type Value,
} from '../tensor.js';

/** What a value in host memory is. */
export type Held = HostTensor | HalfTensor;

/** The runtime's view of host memory; nothing is copied. */
export function bound({ dtype, data, shape }: Held): ort.Tensor {
  switch (dtype) {
    case 'float32':
      return new ort.Tensor(dtype, data as Float32Array, shape);
    case 'int32':
      return new ort.Tensor(dtype, data as Int32Array, shape);
    case 'float16':
      return new ort.Tensor(dtype, data, shape);
    case 'bfloat16':
      return new ort.Tensor('uint16', data, shape);
  }
}

/** Host memory of a shape, zero-filled. */
export function empty({ dtype, shape }: Meta | Value): Held {
  if (isHalf(dtype)) return { dtype, shape, data: new Uint16Array(sizeOf(shape)) };
  return dtype === 'float32' ? float32(shape) : int32(shape);
}

/** A value as float32 or int32: 16-bit floats in a copy. */
export function onHost(value: Held): HostTensor {
  return value.dtype === 'float16' || value.dtype === 'bfloat16' ? widened(value) : (value as HostTensor);
}
