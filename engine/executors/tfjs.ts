/** @file Runs programs eagerly, operation by operation, on a tfjs backend: for cross-checks and small tests. */
import * as tf from '@tensorflow/tfjs';
import type { Executable, Executor, Leaves, Signature } from '../executor.js';
import { withBackend } from '../backend.js';
import type { Tensor } from '../ops.js';
import { float32, int32, isValue, type HostTensor, type Value } from '../tensor.js';
import { isTensor } from '../tensors.js';
import { flatten, leafAt, mapTree } from '../tree.js';

interface HostValue extends Value {
  data: Float32Array | Int32Array;
}

/** The eager executor on tfjs's plain JavaScript backend `cpu`. Slow; exact enough to hold others against. */
export function tfjsExecutor(): Executor {
  return {
    name: 'tfjs-cpu',
    fingerprint: { runtime: `tfjs ${tf.version_core}` },
    upload: (tensor) => tensor,
    download: (value) => Promise.resolve(value as HostTensor),
    compile: (signature) => Promise.resolve(eager(signature)),
    compileLoop: (signature) => Promise.resolve({ each: eager(signature) }),
    dispose: () => Promise.resolve(),
  };
}

function eager(signature: Signature): Executable {
  return {
    bytes: 0,
    run: (inputs, into) => Promise.resolve(withBackend('cpu', () => runEagerly(signature, inputs, into))),
    dispose: () => Promise.resolve(),
  };
}

function runEagerly(signature: Signature, inputs: Leaves<Value>, into: Leaves<Value>): Leaves<Value> {
  const before = tf.memory().numTensors;
  let results: Leaves<Value> = new Map();
  tf.tidy(() => void (results = computeEagerly(signature, inputs, into)));
  const leaked = tf.memory().numTensors - before;
  if (leaked !== 0) throw new Error(`tfjs executor: program ${signature.name} leaks ${leaked} tensors`);
  return results;
}

function computeEagerly(signature: Signature, inputs: Leaves<Value>, into: Leaves<Value>): Leaves<Value> {
  const args = mapTree(signature.args, isValue, (_, path) => {
    const { data, shape, dtype } = leafAt(inputs, path, `program ${signature.name}`) as HostValue;
    return tf.tensor(data, shape as number[], dtype);
  });
  const outputs = flatten(signature.compute(args), isTensor);
  return new Map(
    [...outputs].map(([path, tensor]) => [path, written(tensor, into.get(path) as HostValue | undefined)]),
  );
}

function written(tensor: Tensor, target: HostValue | undefined): Value {
  const data = tensor.dataSync();
  if (!target)
    return tensor.dtype === 'float32'
      ? float32(tensor.shape, Float32Array.from(data))
      : int32(tensor.shape, Int32Array.from(data));
  target.data.set(data);
  return target;
}
