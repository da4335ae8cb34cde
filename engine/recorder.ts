/** @file The list of nodes that a trace grows, and which tfjs data stands for which node. */
import * as tf from '@tensorflow/tfjs';
import { complain } from '../foundation/index.js';
import { at, kernels } from './kernels/index.js';
import type { Tensor } from './ops.js';
import type { Attributes, Meta, Node } from './program.js';
import { isHalf } from './tensor.js';

/** A tfjs tensor without its methods. */
export interface TensorInfo {
  readonly dataId: object;
  readonly shape: number[];
  readonly dtype: tf.DataType;
}

/** Records nodes; hands out tfjs tensors that stand for them. */
export class Recorder {
  readonly nodes: Node[] = [];
  private readonly ids = new WeakMap<object, number>();

  add(node: Node): number {
    return this.nodes.push(node) - 1;
  }

  /** Adds attributes that say something about a node without changing what it computes. */
  mark(id: number, attributes: Attributes): void {
    const node = at(this.nodes, id);
    this.nodes[id] = { ...node, attributes: { ...node.attributes, ...attributes } };
  }

  idOf(tensor: TensorInfo): number {
    const id = this.ids.get(tensor.dataId);
    if (id !== undefined) return id;
    return complain({
      code: 'TRACE_FOREIGN_TENSOR',
      owner: 'trace',
      expected: 'tensors made inside the traced function',
      got: `a tensor of shape [${tensor.shape.join(', ')}] made outside`,
      hint: 'pass it as an argument',
    });
  }

  info(id: number): TensorInfo {
    const dataId = {};
    this.ids.set(dataId, id);
    const { shape, dtype } = at(this.nodes, id);
    if (isHalf(dtype)) throw new Error(`recorder: tfjs has no ${dtype}`);
    return { dataId, shape: [...shape], dtype };
  }

  tensor(id: number): Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.info(id));
  }

  /** Records a kernel of the table on nodes. */
  apply(kernel: string, inputs: readonly number[], attributes: Attributes): number {
    const rule = kernels[kernel];
    if (!rule) return refuseKernel(kernel);
    const metas = inputs.map((id) => at(this.nodes, id));
    const { shape, dtype } = rule.infer(metas, attributes);
    return this.add({ kernel, inputs, attributes, shape, dtype });
  }

  /** Records host data: one value everywhere stays a scalar, or gradients of sums would fill the program. */
  literal(data: Float32Array | Int32Array | Uint8Array, meta: Meta): number {
    const first = data[0] ?? 0;
    if (data.every((value) => Object.is(value, first)))
      return this.apply('Fill', [], { shape: meta.shape, value: first, dtype: meta.dtype });
    return this.add({ kernel: 'Constant', inputs: [], attributes: {}, ...meta, data });
  }
}

/** The error of an operation that programs do not have. */
export function refuseKernel(kernel: string): never {
  return complain({
    code: 'TRACE_NO_LOWERING',
    owner: 'trace',
    expected: 'operations of engine/ops.ts',
    got: `tfjs kernel ${kernel}, which has no ONNX lowering`,
    hint: 'write the function without it, or add the kernel to engine/kernels/',
  });
}
