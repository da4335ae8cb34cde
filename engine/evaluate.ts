/** @file Computes programs node by node with tfjs's plain `cpu` kernels: the reference that lowering and simplification are held against. */
import * as tf from '@tensorflow/tfjs';
import { withBackend } from './backend.js';
import { at, kernels } from './kernels/index.js';
import type { Attributes, ElementType, Node, Program } from './program.js';
import type { Leaves } from './executor.js';
import { float32, isHalf, narrowed, widened, type HalfType, type HostTensor } from './tensor.js';
import { leafAt } from './tree.js';

type Data = Float32Array | Int32Array | Uint8Array;

/** One kernel on host data. */
export function evaluateKernel(
  kernel: string,
  inputs: readonly { readonly data: Data; readonly shape: readonly number[]; readonly dtype: ElementType }[],
  attributes: Attributes,
): Data {
  const type = String(attributes['dtype']);
  if (isHalf(type)) return rounded(evaluateKernel(kernel, inputs, { ...attributes, dtype: 'float32' }), type);
  return withBackend('cpu', () => {
    let data: Data = new Float32Array();
    tf.tidy(() => {
      const tensors = inputs.map((input) =>
        tf.tensor(input.data, input.shape as number[], isHalf(input.dtype) ? 'float32' : input.dtype),
      );
      data = call(kernel, tensors, attributes).dataSync().slice();
    });
    return data;
  });
}

/** 16-bit floats are float32 here that need no more bits. */
function rounded(data: Data, dtype: HalfType): Data {
  return widened(narrowed(float32([data.length], Float32Array.from(data)), dtype)).data;
}

function call(kernel: string, tensors: readonly tf.Tensor[], attributes: Attributes): tf.Tensor {
  // Made by simplification: tfjs has the operation, but its `cpu` backend no kernel of that name.
  if (kernel === 'BroadcastTo') return tf.broadcastTo(at(tensors, 0), attributes['shape'] as number[]);
  const names = kernels[kernel]?.inputs ?? [];
  const keys = names === 'list' ? tensors.map((_, index) => String(index)) : names;
  const inputs = Object.fromEntries(keys.map((key, index) => [key, at(tensors, index)]));
  // Kernels that take a list receive it as an array, as tfjs's operations pass it.
  const given = names === 'list' ? (tensors as unknown as typeof inputs) : inputs;
  return tf.engine().runKernel<tf.Tensor>(kernel, given, attributes);
}

/** Every output of a program on host data, by path. */
export function evaluateProgram(program: Program, inputs: Leaves<HostTensor>): Map<string, Data> {
  const paths = new Map([...program.inputs].map(([path, id]) => [id, path]));
  const values: Data[] = [];
  program.nodes.forEach((node: Node, id) => {
    if (node.kernel === 'Input')
      values.push(leafAt(inputs, paths.get(id) ?? '', `program ${program.name}`).data);
    else if (node.kernel === 'Constant') values.push(node.data as Data);
    else {
      const inputs = node.inputs.map((input) => ({ ...at(program.nodes, input), data: at(values, input) }));
      const data = evaluateKernel(node.kernel, inputs, node.attributes);
      values.push(isHalf(node.dtype) ? rounded(data, node.dtype) : data);
    }
  });
  return new Map([...program.outputs].map(([path, id]) => [path, at(values, id)]));
}
