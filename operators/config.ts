/** @file What an attack and a defence are told to do. Plain data that recipes fill in; imports types of the engine. */
import type { AdamWConfig, ScheduleConfig } from '../engine/index.js';
import { complain } from '../foundation/index.js';

/** Coefficients of losses on pairs of completions, one wanted and one unwanted. */
export interface PairLosses {
  /** Cross-entropy of the wanted completion. */
  readonly toward?: number;
  /** −log(1−p) of the unwanted completion's tokens. */
  readonly away?: number;
  /** Gradient ascent: minus the cross-entropy of the unwanted completion. */
  readonly ga?: number;
  /** Direct preference optimization of the wanted over the unwanted completion. */
  readonly dpo?: number;
  /** Identity preference optimization of the wanted over the unwanted completion. */
  readonly ipo?: number;
  /** Negative preference optimization against the unwanted completion. */
  readonly npo?: number;
}

/** Settings of losses that have any; the published ones where they are not given. */
export interface Objectives {
  /** β 0.3; the share of preferences taken to be wrong, 0. */
  readonly dpo?: { readonly beta?: number; readonly labelSmoothing?: number };
  /** β 0.3: the margin that is aimed at is 1/(2β). */
  readonly ipo?: { readonly beta?: number };
  /** β 0.1; smaller is closer to gradient ascent. */
  readonly npo?: { readonly beta?: number };
}

/** Settings of a defence's losses. */
export interface DefendObjectives extends Objectives {
  /** For `rmu` and `retain`: the block after which activations are read, and the norm (6.5) of what is steered to. */
  readonly rmu?: { readonly layer: number; readonly norm?: number };
}

/** Losses of an attack, with their coefficients: it wants the adversarial completion, not the desired one. */
export type AttackLosses = PairLosses;

/** Losses of a defence, with their coefficients: it wants the desired completion, not the adversarial one. */
export interface DefendLosses extends PairLosses {
  /** Steers activations of prompt and unwanted completion to a fixed random vector, under the perturbation. */
  readonly rmu?: number;
  /** Holds activations of benign rows where the base model has them, without the perturbation. */
  readonly retain?: number;
  /** Cross-entropy on benign rows, without the perturbation. */
  readonly sft?: number;
  /** Divergence from the base model on benign rows, without the perturbation, divided by its own detached value. */
  readonly kl?: number;
  /** KL(base‖model) at the labels of benign rows, without the perturbation: the divergence in its usual form. */
  readonly forwardKl?: number;
}

/**
 * What δ is made of. `free`: one vector per site and token. `low-rank`, `full-rank`: a linear function of the unperturbed
 * activation there, δ = B(A h) or W h + b, one function per site and example; h is divided by its mean norm in the example.
 * `whitened`: one vector per site and token along the principal components of activations, in their standard deviations.
 */
export type AdversaryConfig =
  | { readonly kind: 'free' }
  | { readonly kind: 'low-rank'; readonly rank: number }
  | { readonly kind: 'full-rank' }
  | {
      readonly kind: 'whitened';
      /** Largest components only; all that have a variance if not given. */
      readonly components?: number;
      /** Batches whose activations are analysed before a run: 8 if not given. */
      readonly batches?: number;
    };

/** A projected-gradient attack on hidden activations. What is not given is as published. */
export interface AttackConfig extends AdamWConfig {
  /** Sites that are perturbed: `embedding`, `layers.3.mlp`, …; `all` for every site of the model. */
  readonly sites: readonly string[] | 'all';
  /** Tokens that are perturbed. The batch's `slots` say so row by row; this is what they were made from. */
  readonly segments: 'prompt' | 'prompt+completions';
  /** Largest L2 norm of a perturbation at one site: of one token's, in activation units, unless said otherwise below. */
  readonly epsilon: number;
  /**
   * `relative`: ε and the learning rate are fractions of the geometric mean norm of the residual stream after the site's block (for
   * `embedding`: of the embedding) over the example's attacked tokens. Default `absolute`.
   */
  readonly radius?: 'absolute' | 'relative';
  /** Whether ε bounds each token's vector (default) or all vectors of an example together. */
  readonly per?: 'token' | 'example';
  /** What δ is made of; default `free`. */
  readonly adversary?: AdversaryConfig;
  /** `noise`: no gradients, a random direction at radius ε; the control of every comparison. Default `gradient`. */
  readonly search?: 'gradient' | 'noise';
  /** Where the search starts: at zero (default), or at random in the ball. */
  readonly start?: 'zero' | 'random';
  /** Searches, the first from `start` and the others from random; each example keeps the strongest. Default 1. */
  readonly restarts?: number;
  /** `sign`, `normalized`: a step of the learning rate along the gradient's sign or direction. Default `adamw`. */
  readonly step?: 'adamw' | 'sign' | 'normalized';
  /** Adds ½·l2·‖δ‖², in the units of ε, to each example's mean loss. */
  readonly l2?: number;
  /** Largest norm, over all sites, of the gradient of an example's mean loss. */
  readonly clipNorm?: number;
  /** Steps of gradient, update and projection. */
  readonly iterations: number;
  readonly losses: AttackLosses;
  readonly objectives?: Objectives;
  /** Divides coefficients by their sum, as the published code does. */
  readonly normalizeCoefficients?: boolean;
}

/** What an attack minimizes: its losses, and what says how they add up. */
export type AttackObjective = Pick<AttackConfig, 'losses' | 'objectives' | 'normalizeCoefficients'>;

/** What a defence trains. */
export type TrainConfig =
  | {
      readonly kind: 'adapters';
      readonly rank: number;
      readonly alpha: number;
      /** Projections that get an adapter: `q_proj`, `down_proj`, … */
      readonly projections: readonly string[];
    }
  | {
      readonly kind: 'full';
      /** `all` trains embeddings, norms and head too; a list trains these decoder layers. */
      readonly layers: 'all' | readonly number[];
      /** Modules of these layers that are trained: `down_proj`, …; all if not given. */
      readonly modules?: readonly string[];
    };

/** Training under perturbation. */
export interface DefendConfig extends AdamWConfig {
  /** Updates per batch, all under the same perturbation. */
  readonly iterations: number;
  /** Parts that a batch is split into by rows; gradients are accumulated over them. */
  readonly microbatches: number;
  readonly losses: DefendLosses;
  readonly objectives?: DefendObjectives;
  /** Divides coefficients by their sum, as the published code does. */
  readonly normalizeCoefficients?: boolean;
  readonly schedule: ScheduleConfig;
  /** Largest global norm of the gradient; larger ones are scaled down to it. */
  readonly clipNorm: number;
  /** Starts AdamW afresh with every batch, as some published configurations do. */
  readonly reinitialize?: boolean;
  readonly train: TrainConfig;
}

/** Names of the losses that are used, in a fixed order, with their coefficients. */
export type Coefficients<Name extends string = string> = ReadonlyMap<Name, number>;

/**
 * The coefficients that are not zero, in the order of `known`.
 * @param normalize divide by the sum of all.
 * @throws LOSS_UNKNOWN where a name is not among `known`; LOSS_NONE where nothing is left.
 */
export function coefficientsOf<Name extends string>(
  owner: string,
  losses: Readonly<Record<string, number | undefined>>,
  known: readonly Name[],
  normalize = false,
): Coefficients<Name> {
  const stranger = Object.keys(losses).find((name) => !(known as readonly string[]).includes(name));
  if (stranger !== undefined)
    complain({
      code: 'LOSS_UNKNOWN',
      owner,
      expected: `losses among ${known.join(', ')}`,
      got: stranger,
      hint: 'correct the name, or remove it',
    });
  const given = known.map((name) => [name, losses[name] ?? 0] as const).filter(([, value]) => value !== 0);
  if (given.length === 0)
    complain({
      code: 'LOSS_NONE',
      owner,
      expected: `a coefficient for at least one of ${known.join(', ')}`,
      got: 'none',
      hint: 'say what to optimize',
    });
  const sum = normalize ? given.reduce((total, [, value]) => total + value, 0) : 1;
  return new Map(given.map(([name, value]) => [name, value / sum]));
}
