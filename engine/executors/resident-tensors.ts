/** @file Uploaded values as tfjs tensors, made once: weights need not be copied to a backend with every run. */
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from '../ops.js';
import type { HostTensor, Value } from '../tensor.js';

/** Smaller ones are passed anew: most of them change, and nobody would gain. */
const WORTH_KEEPING = 1024;

/** The uploaded values of one executor; a tensor lives as long as its value, or until that is written to. */
export class ResidentTensors {
  private readonly tensors = new WeakMap<Value, { tensor?: Tensor }>();
  private readonly alive = new Set<Tensor>();
  private readonly unreachable = new FinalizationRegistry<{ tensor?: Tensor }>((holder) => this.drop(holder));

  /** Host data as a value. */
  hold(tensor: HostTensor): Value {
    if (tensor.data.length >= WORTH_KEEPING && !this.tensors.has(tensor)) {
      const holder = {};
      this.tensors.set(tensor, holder);
      this.unreachable.register(tensor, holder);
    }
    return tensor;
  }

  /** The tensor of a value that was uploaded; undefined for others. To be called with the backend active. */
  tensorOf(value: HostTensor): Tensor | undefined {
    const holder = this.tensors.get(value);
    if (!holder) return undefined;
    if (!holder.tensor) this.alive.add((holder.tensor = tensorOf(value)));
    return holder.tensor;
  }

  /** Its data has changed: the next run takes them anew. */
  forget(value: Value): void {
    const holder = this.tensors.get(value);
    if (holder) this.drop(holder);
  }

  dispose(): void {
    for (const tensor of this.alive) tensor.dispose();
    this.alive.clear();
  }

  private drop(holder: { tensor?: Tensor }): void {
    if (holder.tensor && this.alive.delete(holder.tensor)) holder.tensor.dispose();
    delete holder.tensor;
  }
}

/** Host data as a tensor of the active backend. */
export function tensorOf({ data, shape, dtype }: HostTensor): Tensor {
  return tf.tensor(data, shape as number[], dtype);
}
