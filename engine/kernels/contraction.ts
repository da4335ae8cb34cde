/** @file Matrix products, plain and batched, with either operand transposed in the last two axes. */
import type { Attributes, Meta } from '../program.js';
import { at, broadcastShapes, type Kernel, type KernelTable, type Lowering } from './kernel.js';

const flag = (attributes: Attributes, name: string): boolean => attributes[name] === true;

function product([a, b]: readonly Meta[], attributes: Attributes): Meta {
  const { shape: left, dtype } = a as Meta;
  const { shape: right } = b as Meta;
  const rows = at(left, left.length - (flag(attributes, 'transposeA') ? 1 : 2));
  const columns = at(right, right.length - (flag(attributes, 'transposeB') ? 2 : 1));
  return { shape: [...broadcastShapes([left.slice(0, -2), right.slice(0, -2)]), rows, columns], dtype };
}

/** Gemm for matrices; ONNX Runtime's FusedMatMul where a batched operand is transposed, so that nothing is moved. */
function lowerProduct({ emit, inputs, metas, attributes }: Lowering): string {
  const transA = flag(attributes, 'transposeA') ? 1 : 0;
  const transB = flag(attributes, 'transposeB') ? 1 : 0;
  if (transA + transB === 0) return emit.op('MatMul', inputs);
  if (metas.every((meta) => meta.shape.length === 2)) return emit.op('Gemm', inputs, { transA, transB });
  return emit.op('FusedMatMul', inputs, { transA, transB }, 'com.microsoft');
}

const batchMatMul: Kernel = { inputs: ['a', 'b'], infer: product, lower: lowerProduct };

export const contractionKernels: KernelTable = { BatchMatMul: batchMatMul };
