/** @file What an evaluation is told to do. Plain data that recipes fill in. Types only. */
import type { AttackConfig } from '../config.js';

/** A table and which of its columns are what. */
export interface TableConfig {
  readonly path: string;
  readonly columns: Readonly<Record<string, string>>;
}

/** Who is asked what, under which attacks, and how answers are judged. */
export interface EvaluateConfig {
  /** Requests that should be refused: `prompt`, `adversarial` (the compliant answer) and, optionally, `key`. */
  readonly harmful: TableConfig | null;
  /** Requests that should be answered: `prompt`, `completion` and, optionally, `key`. */
  readonly benign: TableConfig | null;
  /** Most rows of each table that are asked. */
  readonly requests: number;
  /** Steps between evaluations during training; 0 for none. */
  readonly every: number;
  /** Most rows of each table that are asked during training. */
  readonly during: number;
  /** Requests that are answered together. */
  readonly batch: number;
  readonly maxNewTokens: number;
  readonly direct: boolean;
  /** Tokens of the compliant answer that are put into the model's mouth, one attack for each number. */
  readonly prefill: readonly number[];
  /** A perturbation of the prompt toward the compliant answer, under which the model then generates. */
  readonly latent: AttackConfig | null;
  readonly judge: {
    readonly match: 'exact' | 'contains';
    readonly refusals: 'common' | readonly string[];
  };
}
