/** @file What a recipe may say about losses: which, and their settings. Depends on zod alone. */
import { z } from 'zod';

const coefficient = z.number().exactOptional();

/** Losses on pairs: an attack wants the adversarial completion, a defence the desired one. */
export const pairLosses = {
  /** Cross-entropy of the wanted completion. */
  toward: coefficient,
  /** −log(1−p) of the unwanted one's tokens. */
  away: coefficient,
  /** Gradient ascent: minus the cross-entropy of the unwanted one. */
  ga: coefficient,
  /** Preference of the wanted over the unwanted one, against the base model: DPO and IPO. */
  dpo: coefficient,
  ipo: coefficient,
  /** Negative preference optimization against the unwanted one. */
  npo: coefficient,
};

const beta = z.number().positive().exactOptional();

/** Settings of losses; the published ones where they are not given. */
export const objectives = z.strictObject({
  /** `labelSmoothing`: the share of preferences that are taken to be wrong. β 0.3, 0 if not given. */
  dpo: z.strictObject({ beta, labelSmoothing: z.number().min(0).lt(0.5).exactOptional() }).exactOptional(),
  /** The margin that is aimed at is 1/(2β). β 0.3 if not given. */
  ipo: z.strictObject({ beta }).exactOptional(),
  /** β 0.1 if not given; smaller is closer to gradient ascent. */
  npo: z.strictObject({ beta }).exactOptional(),
});

/** Settings of a defence's losses. */
export const defendObjectives = objectives.extend({
  /** The block after which `rmu` and `retain` read activations, and the norm of what is steered to: 6.5 if not given. */
  rmu: z
    .strictObject({ layer: z.int().nonnegative(), norm: z.number().positive().exactOptional() })
    .exactOptional(),
});

/** Losses of a defence: on pairs, and on benign rows. */
export const defendLosses = {
  ...pairLosses,
  /** Representation misdirection: steers prompt and unwanted completion to a fixed random vector, up to one block. */
  rmu: coefficient,
  /** Holds activations of benign rows where the base model has them (the α of RMU). */
  retain: coefficient,
  /** Cross-entropy on benign rows. */
  sft: coefficient,
  /** Divergence from the base model on benign rows, as published: its gradient's size says nothing about its own. */
  kl: coefficient,
  /** The same in its usual form: KL(base‖model) at the labels of benign rows. */
  forwardKl: coefficient,
};
