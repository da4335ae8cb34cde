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
  /** An evaluation of what costs more than five seeds of it are worth: the first seed's models are asked. */
  readonly further: Overlay;
  /** The recipe by which the first seed's models re-learn what was taken from them, and which of its arms. */
  readonly relearning: Relearning;
}

export interface Relearning {
  readonly recipe: string;
  readonly arms: readonly string[];
  /** What its evaluation asks besides. */
  readonly evaluate?: Overlay;
  /** A recipe whose model never knew what is re-learned; none where there is no such model. */
  readonly oracle?: string;
}

/** Where arms perturb the model beyond the embedding. */
const LATENT_SITES = ['layers.0.residual', 'layers.1.residual'];

/**
 * Overlays of the six arms over a recipe whose attack is targeted: no perturbation; noise of the same radius; the search
 * for whatever raises the loss of the wanted answer; the targeted one at the embedding, in the model, and at both.
 * @param alone what the base method alone does otherwise.
 */
export function sixArms(alone: Overlay = {}): Readonly<Record<ArmName, Overlay>> {
  const both = ['embedding', ...LATENT_SITES];
  return {
    alone: { attack: null, ...alone },
    noise: { attack: { sites: both, search: 'noise' } },
    untargeted: { attack: { sites: both, losses: { toward: 0, away: 0, dpo: 0, ga: 1 } } },
    embedding: { attack: { sites: ['embedding'] } },
    latent: { attack: { sites: LATENT_SITES } },
    both: { attack: { sites: both } },
  };
}

/** Prompts of the held-out tables that settings are chosen on. */
export const VALIDATION = 64;
/** Those that are asked once. */
export const TEST: Overlay = { from: VALIDATION, to: VALIDATION + 128 };

/** A training attack of a radius, in mean norms of the residual stream at each site, which it crosses in three iterations. */
export function within(epsilon: number): { readonly attack: Overlay } {
  return { attack: { epsilon, learningRate: epsilon / 3 } };
}

/**
 * Put over every recipe: radii as shares of mean norms, since those grow twentyfold from the embedding to the last block; and a
 * latent attack that is long enough: with fewer iterations than 48 it fails for want of time, not of a way (docs/log.md). One
 * thread, so that two experiments can run side by side.
 */
export const RELATIVE: Overlay = {
  threads: 1,
  attack: { radius: 'relative' },
  evaluate: { latent: { radius: 'relative', epsilon: 0.8, learningRate: 0.2, iterations: 48 } },
};

/** Prompts that the further evaluation asks: of the test's, some. */
export const FURTHER: Overlay = { from: VALIDATION, to: VALIDATION + 32 };

/** Latent attacks of the test: at a site and at radii that no arm trains with, beside those that some do. */
export const UNSEEN: Overlay = {
  grid: { sites: [['embedding'], ['layers.2.residual']], epsilon: [0.3, 1.2] },
};

/** What {@link FURTHER} prompts are asked by in every experiment. */
export const COSTLY: Overlay = {
  every: 0,
  prefill: [],
  grid: {
    sites: [['embedding'], ['layers.1.residual', 'layers.3.residual']],
    epsilon: [0.8, 2.4],
    iterations: [6, 24, 96],
  },
  softPrompt: { tokens: 4, iterations: 100, learningRate: 0.02 },
  gcg: { tokens: 8, iterations: [8, 32], candidates: 48, top: 48 },
  weights: { noise: [0.1, 0.3], bits: [8, 4] },
};

/** An evaluation of some rows of a recipe's tables: of a few in between, of all at the end of training. */
export function asking(rows: Overlay, more: Overlay): Overlay {
  const filter = [{ rows }];
  return { evaluate: { harmful: { filter }, benign: { filter }, every: 12, during: 16, ...more } };
}
