/** @file What a defender is: weights that are trained batch by batch, and a state that can be saved. Types only. */
import type { HostTensor } from '../../engine/index.js';
import type { DefendPart } from './part.js';
import type { DefenceLoss } from './losses.js';
import type { Model, ModelWeights } from '../model.js';
import type { Passes } from '../passes.js';
import type { Settings } from '../settings.js';

/** One update of a defence. */
export interface DefendTrace {
  /** Counted from 0 over the whole run. */
  readonly update: number;
  /** Σ coefficient·loss. */
  readonly loss: number;
  /** Losses without their coefficients; only those that are used. */
  readonly losses: Readonly<Partial<Record<DefenceLoss, number>>>;
  /** What the loss was multiplied with for its gradients, where the engine asks for that. */
  readonly lossScale?: number;
  /** Global norm before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** What it took; the first on a batch counts what was computed once for all. */
  readonly passes?: Passes;
}

/** All that a defence remembers between steps: trained weights, AdamW's moments, and how many updates it made. */
export interface DefenderState {
  readonly updates: number;
  /** `trained/NAME`, `first/NAME`, `second/NAME`. */
  readonly tensors: Readonly<Record<string, HostTensor>>;
}

/** Trains the weights it holds, batch by batch. */
export interface Defender {
  /** The model with the scale of the adapters that are trained: what attacks and evaluations on its weights use. */
  readonly model: Model;
  /** Updates made so far. */
  readonly updates: number;
  /** The current weights. Their memory is used again by the next `step`: ask anew after it. */
  weights(): ModelWeights;
  /** Parameters of the base model, which losses compare with: the weights before training, without adapters. */
  base(): ModelWeights['parameters'];
  /**
   * `iterations` updates on one batch, which is given in parts ({@link partsOf}); gradients of the parts add up to
   * the whole's, each part's under its own perturbation. After an error the weights are those of the last good update.
   * @param settings with another rate than the configuration's, before the schedule
   * @throws DEFEND_PART_MISSING, LABELS_MISSING, LOSS_NOT_FINITE
   */
  step(
    parts: readonly DefendPart[],
    settings?: Pick<Settings, 'learningRate'>,
  ): Promise<readonly DefendTrace[]>;
  save(): Promise<DefenderState>;
  /** Goes on from a saved state as if it had never stopped. @throws STATE_MISMATCH */
  restore(state: DefenderState): void;
}

export interface DefenderOptions {
  readonly weights: ModelWeights;
  /** Updates of the whole run, for the schedule. */
  readonly updates: number;
  /** Seeds fresh adapters, where they are trained and `weights` has none. */
  readonly seed: number;
}
