/** @file Runs programs eagerly, operation by operation, on a tfjs backend: for cross-checks and small tests. */
import * as tf from '@tensorflow/tfjs';
import type { Executable, Executor, Leaves, Signature } from '../executor.js';
import { withBackend } from '../backend.js';
import type { Tensor } from '../ops.js';
import {
  float32,
  int32,
  isHalf,
  isValue,
  widened,
  type HalfTensor,
  type HostTensor,
  type Value,
} from '../tensor.js';
import { isTensor } from '../tensors.js';
import { flatten, leafAt, mapTree } from '../tree.js';
import { ResidentTensors, tensorOf } from './resident-tensors.js';
import { PLAIN_TFJS, tfjsFingerprint, type TfjsBackend } from './tfjs-backend.js';

type HostValue = HostTensor | undefined;

/**
 * The eager executor. On tfjs's plain JavaScript backend `cpu`, which is the default, it is slow, and exact enough to hold
 * others against; see `loadTfjsBackend` for others.
 */
export function tfjsExecutor(chosen: TfjsBackend = PLAIN_TFJS): Executor {
  const { backend, from } = chosen;
  const resident = new ResidentTensors();
  const eager = (signature: Signature): Executable => ({
    bytes: 0,
    run: (inputs, into) =>
      Promise.resolve(withBackend(backend, () => runEagerly(signature, inputs, into, resident))),
    dispose: () => Promise.resolve(),
  });
  return {
    name: backend === 'cpu' ? 'tfjs-cpu' : from.replace('@tensorflow/', ''),
    fingerprint: tfjsFingerprint(chosen),
    // tfjs has no floats of 16 bits.
    upload: (tensor) =>
      resident.hold(isHalf(tensor.dtype) ? widened(tensor as HalfTensor) : (tensor as HostTensor)),
    download: (value) => Promise.resolve(value as HostTensor),
    compile: (signature) => Promise.resolve(eager(signature)),
    compileLoop: (signature) => Promise.resolve({ each: eager(signature) }),
    dispose: () => {
      resident.dispose();
      return Promise.resolve();
    },
  };
}

/** Tensors of tfjs that are alive in this process, whichever executor made them. */
export function liveTensors(): number {
  return tf.memory().numTensors;
}

function runEagerly(
  signature: Signature,
  inputs: Leaves<Value>,
  into: Leaves<Value>,
  resident: ResidentTensors,
): Leaves<Value> {
  const leaves = flatten(signature.args, isValue);
  const values = new Map(
    [...leaves.keys()].map((path) => [path, leafAt(inputs, path, `program ${signature.name}`) as HostTensor]),
  );
  const kept = new Map([...values].map(([path, value]) => [path, resident.tensorOf(value)]));
  const before = liveTensors();
  let results: Leaves<Value> = new Map();
  tf.tidy(() => {
    const args = mapTree(
      signature.args,
      isValue,
      // Copies of the tensor, not of its data: two arguments of one value must not be one to the tape.
      (_, path) => kept.get(path)?.clone() ?? tensorOf(values.get(path) as HostTensor),
    );
    const outputs = flatten(signature.compute(args), isTensor);
    results = new Map(
      [...outputs].map(([path, tensor]) => [path, written(tensor, into.get(path) as HostValue)]),
    );
  });
  const leaked = liveTensors() - before;
  if (leaked !== 0) throw new Error(`tfjs executor: program ${signature.name} leaks ${leaked} tensors`);
  for (const target of into.values()) resident.forget(target);
  return results;
}

function written(tensor: Tensor, target: HostValue): Value {
  const data = tensor.dataSync();
  if (!target)
    return tensor.dtype === 'float32'
      ? float32(tensor.shape, Float32Array.from(data))
      : int32(tensor.shape, Int32Array.from(data));
  target.data.set(data);
  return target;
}
