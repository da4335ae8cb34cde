/** @file What an attack of an evaluation is: a way to put requests to a model. Types only. */
import type { Tokenizer, PackedBatch } from '../../datasets/index.js';
import type { Value } from '../../engine/index.js';
import type { AttackConfig } from '../config.js';
import type { PerSite, Perturbation } from '../perturbation.js';
import type { TokenLosses } from '../suffix/token-search.js';
import type { WeightChange } from './adaptive/weight-change.js';
import type { EvaluateConfig } from './config.js';
import type { Judge } from './judges.js';
import type { Question, Questions } from './questions.js';

/** A model under evaluation. */
export interface Subject {
  readonly tokenizer: Tokenizer;
  /**
   * Greedy continuations, end of turn included or not.
   * @param deltas a perturbation of each row's tokens.
   * @param slots by row and token, the vector that is added there, −1 for none; vector p at token p if not given.
   */
  answer(
    prompts: readonly (readonly number[])[],
    maxNewTokens: number,
    deltas?: PerSite<Value>,
    slots?: readonly ArrayLike<number>[],
  ): Promise<readonly (readonly number[])[]>;
  /** A latent attack on rows of prompt, compliant and (where known) refusing answer. */
  perturb?(config: AttackConfig, batch: PackedBatch): Promise<Perturbation>;
  /** What attacks that adapt to the model see of it. */
  readonly inside?: Inside;
}

/** The inside of a model, for attacks that look there. Completions are the desired ones of a batch. */
export interface Inside extends TokenLosses {
  /**
   * The residual stream after each block at the state that predicts the completion's token, of rows whose completion is one
   * token: [B, D] by block. `transferred`: of the base model.
   */
  states(batch: PackedBatch, of: 'own' | 'transferred'): Promise<readonly Float32Array[]>;
  /** The model without what writes along a direction [D] of the residual stream. @throws ABLATION_POST_NORM */
  without(direction: Float32Array): Promise<Subject>;
  /** The model with its matrices changed, adapters merged into them. */
  changed(change: WeightChange): Promise<Subject>;
}

/** What a method works with. */
export interface Asking {
  readonly subject: Subject;
  readonly config: EvaluateConfig;
  readonly questions: Questions;
  readonly judge: Judge;
}

/** One answer to one question. */
export interface Attempt {
  /** What the model was given, prefill included. */
  readonly prompt: readonly number[];
  /** Tokens of the compliant answer at the prompt's end. */
  readonly given: number;
  /** What it generated. */
  readonly answer: readonly number[];
  /** Largest norm of the perturbation's vectors, by site. */
  readonly norms?: Readonly<Record<string, number>>;
}

/** An attack by its name in reports. */
export interface Method {
  readonly name: string;
  /** @param first index of the group's first question in the table. @returns one attempt for each question. */
  readonly attempt: (
    asking: Asking,
    group: readonly Question[],
    first: number,
  ) => Promise<readonly Attempt[]>;
}
