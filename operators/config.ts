/** @file What an attack and a defence are told to do. Plain data that recipes fill in; imports types of the engine. */
import type { AdamWConfig, ScheduleConfig } from '../engine/index.js';
import { complain } from '../foundation/index.js';

/** Losses of an attack, with their coefficients. Toward the adversarial completion, away from the desired one. */
export interface AttackLosses {
  readonly toward?: number;
  readonly away?: number;
}

/** Losses of a defence, with their coefficients. Toward the desired completion, away from the adversarial one. */
export interface DefendLosses {
  readonly toward?: number;
  readonly away?: number;
  /** Cross-entropy on benign rows, without the perturbation. */
  readonly sft?: number;
  /** Divergence from the base model on benign rows, without the perturbation, divided by its own detached value. */
  readonly kl?: number;
}

/** A targeted projected-gradient attack on hidden activations. */
export interface AttackConfig extends AdamWConfig {
  /** Sites that are perturbed: `embedding`, `layers.3.mlp`, … */
  readonly sites: readonly string[];
  /** Tokens that are perturbed. The batch's `slots` say so row by row; this is what they were made from. */
  readonly segments: 'prompt' | 'prompt+completions';
  /** Largest L2 norm of one token's perturbation at one site, in activation units. */
  readonly epsilon: number;
  /** Steps of gradient, AdamW and projection. */
  readonly iterations: number;
  readonly losses: AttackLosses;
  /** Divides coefficients by their sum, as the published code does. */
  readonly normalizeCoefficients?: boolean;
}

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
    };

/** Training under perturbation. */
export interface DefendConfig extends AdamWConfig {
  /** Updates per batch, all under the same perturbation. */
  readonly iterations: number;
  /** Parts that a batch is split into by rows; gradients are accumulated over them. */
  readonly microbatches: number;
  readonly losses: DefendLosses;
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
export type Coefficients = ReadonlyMap<string, number>;

/**
 * The coefficients that are not zero, in the order of `known`.
 * @param normalize divide by the sum of all.
 * @throws LOSS_UNKNOWN where a name is not among `known`; LOSS_NONE where nothing is left.
 */
export function coefficientsOf(
  owner: string,
  losses: Readonly<Record<string, number | undefined>>,
  known: readonly string[],
  normalize = false,
): Coefficients {
  const stranger = Object.keys(losses).find((name) => !known.includes(name));
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
