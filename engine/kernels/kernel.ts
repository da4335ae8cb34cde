/** @file What a kernel is: a shape rule and an ONNX lowering. Its reference is tfjs's own `cpu` kernel of that name. */
import type { Attributes, ElementType, Meta } from '../program.js';

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** Adds ONNX operations to a graph; names of values go in and out. */
export interface Emitter {
  /** One operation with one result. `domain` is empty for ai.onnx. */
  op(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): string;
  /** A constant int64 vector (shapes, axes). */
  int64(values: readonly number[]): string;
  /** A constant scalar of a program type. */
  scalar(value: number, dtype: ElementType): string;
  /** A constant tensor. */
  constant(data: Float32Array | Int32Array | Uint8Array, meta: Meta): string;
}

/** A node to lower: its own meta, its inputs' metas and the names of their values. */
export interface Lowering {
  readonly emit: Emitter;
  readonly inputs: readonly string[];
  readonly metas: readonly Meta[];
  readonly output: Meta;
  readonly attributes: Attributes;
}

export interface Kernel {
  /** tfjs's names of the inputs, in our order; `list` for kernels that take any number. */
  readonly inputs: readonly string[] | 'list';
  /** Shape and type of the result. */
  readonly infer: (inputs: readonly Meta[], attributes: Attributes) => Meta;
  /** Emits ONNX and returns the name of the result. */
  readonly lower: (lowering: Lowering) => string;
}

/** Kernels by tfjs name. */
export type KernelTable = Readonly<Record<string, Kernel>>;

/** Lowerings by tfjs name. */
export type Lowerings = Readonly<Record<string, Kernel['lower']>>;

/** ONNX TensorProto type numbers. */
export const ONNX_TYPE: Readonly<Record<ElementType | 'int64' | 'uint16', number>> = {
  float32: 1,
  uint16: 4,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** The input at `index`; a kernel is never called with fewer than it names. */
export function at<T>(items: readonly T[], index: number): T {
  if (index >= items.length) throw new Error(`kernel: no input ${index} among ${items.length}`);
  return items[index] as T;
}

/** The shape of an elementwise result under NumPy broadcasting. */
export function broadcastShapes(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes
      .map((shape) => shape[axis - rank + shape.length] ?? 1)
      .filter((extent) => extent !== 1);
    if (extents.some((extent) => extent !== extents[0]))
      throw new Error(
        `kernel: shapes ${shapes.map((shape) => `[${shape.join(',')}]`).join(' and ')} do not broadcast`,
      );
    return extents[0] ?? 1;
  });
}
