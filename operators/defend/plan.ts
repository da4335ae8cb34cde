/** @file What the programs of a defence are made from and take: where the weights are, and what is static. Types only. */
import type { Tensor } from '../../engine/index.js';
import type { PartArgs } from './losses.js';
import type { Model, ModelWeights } from '../model.js';
import type { PerSite } from '../perturbation.js';

/** Where the weights are: what is trained (adapters, or parameters), and the rest. */
export type SplitWeights<T = Tensor> = { readonly trained: PerSite<T>; readonly frozen: PerSite<T> };

/** Puts trained and frozen weights together again. */
export type Join = <T>(weights: SplitWeights<T>) => ModelWeights<T>;

export type GradientArgs<T = Tensor> = SplitWeights<T> & {
  readonly part: PartArgs<T>;
  readonly coefficients: Readonly<Record<string, T>>;
  /** On the loss while it is differentiated, where the engine asks for one. */
  readonly scale?: T;
};

/** Everything static about a defence's programs. */
export interface DefencePlan {
  readonly model: Model;
  readonly join: Join;
  /** Names the trained set in program names. */
  readonly trains: unknown;
  /** The block after which `rmu` and `retain` read activations; nothing above it is computed for them. */
  readonly layer: number;
}
