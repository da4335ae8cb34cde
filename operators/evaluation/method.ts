/** @file What an attack of an evaluation is: a way to put requests to a model. Types only. */
import type { Tokenizer, PackedBatch } from '../../datasets/index.js';
import type { Value } from '../../engine/index.js';
import type { AttackConfig } from '../config.js';
import type { PerSite, Perturbation } from '../perturbation.js';
import type { EvaluateConfig } from './config.js';
import type { Question, Questions } from './questions.js';

/** A model under evaluation. */
export interface Subject {
  readonly tokenizer: Tokenizer;
  /**
   * Greedy continuations, end of turn included or not.
   * @param deltas a perturbation of the first tokens of each row; vector p of row b is added at token p.
   */
  answer(
    prompts: readonly (readonly number[])[],
    maxNewTokens: number,
    deltas?: PerSite<Value>,
  ): Promise<readonly (readonly number[])[]>;
  /** A latent attack on rows of prompt, compliant and (where known) refusing answer. */
  perturb?(config: AttackConfig, batch: PackedBatch): Promise<Perturbation>;
}

/** What a method works with. */
export interface Asking {
  readonly subject: Subject;
  readonly config: EvaluateConfig;
  readonly questions: Questions;
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
