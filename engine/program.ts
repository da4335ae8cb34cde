/** @file The tensor program: plain, printable data. Knows nothing about tfjs (beyond its kernel names) or ONNX. */
import type { DType, HalfType } from './tensor.js';

/** Types inside a program. What is written with `ops` sees float32, int32 and bool; 16-bit floats are what executors keep values in. */
export type ElementType = DType | HalfType | 'bool';

/** What is known of a tensor before it is computed. */
export interface Meta {
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

export type Attribute = number | string | boolean | readonly number[] | readonly (readonly number[])[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** One operation with one result. Kernels carry their tfjs names; `Input` and `Constant` are ours. */
export interface Node extends Meta {
  readonly kernel: string;
  /** Indices of earlier nodes. */
  readonly inputs: readonly number[];
  readonly attributes: Attributes;
  /** Of a `Constant` only: row-major elements. */
  readonly data?: Float32Array | Int32Array | Uint8Array;
}

/** Nodes in an order in which they can be computed; arguments and results are named by their path in the tree. */
export interface Program {
  readonly name: string;
  readonly nodes: readonly Node[];
  /** Node of each argument. */
  readonly inputs: ReadonlyMap<string, number>;
  /** Node of each result. */
  readonly outputs: ReadonlyMap<string, number>;
}

const SHORT: Readonly<Record<ElementType, string>> = {
  float32: 'f32',
  float16: 'f16',
  bfloat16: 'bf16',
  int32: 'i32',
  bool: 'bool',
};

const BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  bool: 1,
};

/** One line a node, `%7 = BatchMatMul(%3, %5) {transposeB: true} : f32[2,8,16]`: what snapshots and bug reports use. */
export function printProgram(program: Program): string {
  const names = new Map([...program.inputs].map(([path, id]) => [id, path]));
  const lines = program.nodes.map((node, id) => {
    const inputs = node.inputs.map((input) => `%${input}`).join(', ');
    const attributes = Object.entries(node.attributes).map(
      ([key, value]) => `${key}: ${JSON.stringify(value)}`,
    );
    const detail = attributes.length > 0 ? ` {${attributes.join(', ')}}` : '';
    const name = node.kernel === 'Input' ? (names.get(id) ?? '') : inputs;
    return `%${id} = ${node.kernel}(${name})${detail} : ${SHORT[node.dtype]}[${node.shape.join(',')}]`;
  });
  const outputs = [...program.outputs].map(([path, id]) => `  ${path || 'result'} = %${id}`);
  return [`program ${program.name}`, ...lines, 'returns', ...outputs].join('\n');
}

/** Bytes of one tensor of this type and shape. */
export function bytesOf(meta: Meta): number {
  return meta.shape.reduce((product, extent) => product * extent, BYTES[meta.dtype]);
}
