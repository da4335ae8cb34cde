/** @file Gradients of named trees of tensors through the tfjs tape. */
import * as tf from '@tensorflow/tfjs';
import type { Tensor } from './ops.js';
import { complain } from '../foundation/index.js';

/** Tensors by name. */
export type Named = Readonly<Record<string, Tensor>>;

/** What a differentiated function returns: the scalar to differentiate, and whatever else is worth keeping. */
export interface Differentiable<A extends Named> {
  readonly loss: Tensor;
  readonly aux: A;
}

/** A loss, its by-products and the gradient of the loss for every input, by the input's name. */
export interface Gradients<A extends Named> extends Differentiable<A> {
  readonly gradients: Named;
}

/**
 * Evaluates `f` and differentiates its `loss` for every tensor of `inputs`.
 * @param f called once; `loss` must be a scalar that depends on every input.
 * @param scale the loss is differentiated times this scalar, and the gradients divided by it (`loss-scale.ts`).
 * @throws GRADIENT_EMPTY where there is nothing to differentiate for.
 */
export function valueAndGradients<A extends Named>(
  f: (inputs: Named) => Differentiable<A>,
  inputs: Named,
  scale?: Tensor,
): Gradients<A> {
  const names = Object.keys(inputs);
  if (names.length === 0)
    complain({
      code: 'GRADIENT_EMPTY',
      owner: 'valueAndGradients',
      expected: 'at least one tensor to differentiate for',
      got: 'none',
      hint: 'name the sites or parameters that are trained',
    });
  let aux: A | undefined;
  let loss: Tensor | undefined;
  const { value, grads } = tf.valueAndGrads((...tensors: Tensor[]) => {
    const result = f(Object.fromEntries(names.map((name, index) => [name, tensors[index] as Tensor])));
    aux = Object.fromEntries(
      Object.entries(result.aux).map(([name, tensor]) => [name, tf.keep(tf.clone(tensor))]),
    ) as A;
    if (!scale) return result.loss as tf.Scalar;
    loss = tf.keep(tf.clone(result.loss));
    return tf.mul<tf.Scalar>(result.loss, scale);
  })(names.map((name) => inputs[name] as Tensor));
  const gradient = (index: number): Tensor =>
    scale ? tf.div(grads[index] as Tensor, scale) : (grads[index] as Tensor);
  return {
    loss: loss ? released({ loss })['loss'] : value,
    aux: released(aux as unknown as A),
    gradients: Object.fromEntries(names.map((name, index) => [name, gradient(index)])),
  };
}

/** The by-products left the tape's scope through `keep`; copies hand them back to the scope that called us. */
function released<A extends Named>(aux: A): A {
  const copies = Object.entries(aux).map(([name, tensor]) => {
    const copy = tf.clone(tensor);
    tensor.dispose();
    return [name, copy] as const;
  });
  return Object.fromEntries(copies) as A;
}
