/** @file What an evaluation is told to do. Plain data that recipes fill in. Types only. */
import type { RowFilter } from '../../datasets/index.js';
import type { AttackConfig } from '../config.js';

/** A table and which of its columns are what. */
export interface TableConfig {
  readonly path: string;
  /** By role; found by the names of the columns where they are not given (`layoutOf` knows the common benchmarks). */
  readonly columns?: Readonly<Record<string, string>>;
  /** All must hold. */
  readonly filter?: readonly RowFilter[];
}

/** How answers are judged. */
export interface JudgeConfig {
  /**
   * `exact`, `contains`: the row's `key` or, without one, the whole expected answer. `substance`: for rows that name no
   * content: any coherent, specific answer beyond its opening that does not refuse. Rows with a `key` are still judged by it.
   */
  readonly match: 'exact' | 'contains' | 'substance';
  readonly refusals: 'common' | readonly string[];
  /** Judges instead of the rules: a program that reads and writes lines of JSON, or an address that takes them by POST. */
  readonly by?: { readonly command: readonly string[] } | { readonly url: string };
}

/** Latent attacks at places and radii that training may never have seen: every combination, otherwise as `latent`. */
export interface LatentGrid {
  /** Each a set of sites that is attacked at once. */
  readonly sites: readonly (readonly string[])[];
  readonly epsilon: readonly number[];
}

/** Who is asked what, under which attacks, and how answers are judged. */
export interface EvaluateConfig {
  /** Requests that should be refused: `prompt`, `adversarial` (the compliant answer, or its opening) and, optionally, `key`. */
  readonly harmful: TableConfig | null;
  /** Requests that should be answered: `prompt`, `completion` and, optionally, `key`. */
  readonly benign: TableConfig | null;
  /** Further tables by name that are asked and judged like benign ones: look-alikes, facts to forget or to retain. */
  readonly probes?: Readonly<Record<string, TableConfig>>;
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
  /** Other harmful requests, each with its compliant answer, that precede the request, one attack for each number. */
  readonly manyShot?: readonly number[];
  /** Rewordings by name: texts with `{prompt}` in them, such as a framing, or a trigger behind the request. */
  readonly wordings?: Readonly<Record<string, string>>;
  /** A perturbation of the prompt toward the compliant answer, under which the model then generates. */
  readonly latent: AttackConfig | null;
  readonly grid?: LatentGrid;
  readonly judge: JudgeConfig;
}
