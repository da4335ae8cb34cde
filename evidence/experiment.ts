/** @file What an experiment is: a recipe, six arms that differ in the perturbation alone, and what may be chosen for each. Knows no process. */
import type { Evaluation } from '../operators/index.js';

/** A part of a recipe, put over it. */
export type Overlay = Readonly<Record<string, unknown>>;

/** The arms of every experiment. */
export const ARMS = ['alone', 'noise', 'untargeted', 'embedding', 'latent', 'both'] as const;
export type ArmName = (typeof ARMS)[number];

export interface Experiment {
  readonly name: string;
  /** In plain words: what is trained against what. */
  readonly title: string;
  /** Name of the recipe, and what is put over it for all arms. */
  readonly recipe: string;
  readonly overlay: Overlay;
  readonly arms: Readonly<Record<ArmName, Overlay>>;
  /** Settings that are tried for every arm alike, on validation prompts. */
  readonly candidates: readonly Overlay[];
  /** Which prompts validation asks, and which the test. */
  readonly validation: Overlay;
  readonly test: Overlay;
  /** What is chosen by: the smallest. */
  readonly cost: (evaluation: Evaluation) => number;
  /** Attacks that tables report, and what must not suffer. */
  readonly reported: readonly string[];
}

/**
 * Overlays of the six arms over a recipe whose attack is targeted: no perturbation; noise of the same radius; the search
 * for whatever raises the loss of the wanted answer; the targeted one at the embedding, in the model, and at both.
 * @param alone what the base method alone does otherwise.
 */
export function sixArms(
  latentSites: readonly string[],
  alone: Overlay = {},
): Readonly<Record<ArmName, Overlay>> {
  const both = ['embedding', ...latentSites];
  return {
    alone: { attack: null, ...alone },
    noise: { attack: { sites: both, search: 'noise' } },
    untargeted: { attack: { sites: both, losses: { toward: 0, away: 0, dpo: 0, ga: 1 } } },
    embedding: { attack: { sites: ['embedding'] } },
    latent: { attack: { sites: latentSites } },
    both: { attack: { sites: both } },
  };
}

/** Prompts of the held-out tables that settings are chosen on; the others are asked once. */
export const VALIDATION = 64;

/** An evaluation of some rows of a recipe's tables, at the end of training alone. */
export function asking(rows: Overlay, more: Overlay): Overlay {
  const filter = [{ rows }];
  return { evaluate: { harmful: { filter }, benign: { filter }, every: 0, ...more } };
}
