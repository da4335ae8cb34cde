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
  /** A judge instead of the rules. */
  readonly by?: Outside;
}

/**
 * Latent attacks at places, radii and lengths of search that training may never have seen: every combination, otherwise as
 * `latent`; a longer search keeps its learning rate.
 */
export interface LatentGrid {
  /** Each a set of sites that is attacked at once. */
  readonly sites: readonly (readonly string[])[];
  readonly epsilon: readonly number[];
  /** Steps of the search; those of `latent` if not given. */
  readonly iterations?: readonly number[];
}

/** A program that reads and writes lines of JSON, or an address that takes JSON by POST. */
export type Outside = { readonly command: readonly string[] } | { readonly url: string };

/**
 * GCG (Zou et al. 2023), against this model and request by request: tokens behind the request, improved one at a time. An
 * iteration is one gradient and the losses of `candidates`: for a request, iterations · (candidates + 2) sequences or so.
 */
export interface GcgConfig {
  /** Length of the suffix. */
  readonly tokens: number;
  /** One attack for each number; the longer ones go on where the shorter ones ended. */
  readonly iterations: readonly number[];
  /** Suffixes that are tried in an iteration. */
  readonly candidates: number;
  /** Replacements at each place among which they are drawn: those that the gradient likes best. */
  readonly top: number;
}

/** AutoPrompt (Shin et al. 2020): the same, but an iteration tries the `top` replacements of one place. */
export type AutoPromptConfig = Omit<GcgConfig, 'candidates'>;

/** Vectors instead of a suffix's token embeddings (as Lester et al. 2021), found by AdamW, bounded by nothing. */
export interface SoftPromptConfig {
  readonly tokens: number;
  readonly iterations: number;
  /** In mean norms of the embeddings that the vectors start from. */
  readonly learningRate: number;
}

/**
 * PAIR (Chao et al. 2023): an attacker rewords the request, sees what came of it, and tries again, until the judge says
 * that an answer complied. At most `rounds` · `streams` answers for a request.
 */
export interface PairConfig {
  /** Another model behind a program or an address, or `wordings`: framings put together by chance. */
  readonly attacker: 'wordings' | Outside;
  readonly rounds: number;
  /** Attempts side by side, each with a story of its own. */
  readonly streams: number;
}

/**
 * Removal of the refusal direction (Arditi et al. 2024): the difference between the mean activations of the table's harmful
 * and benign prompts at their last token, projected out of all that writes to the residual stream.
 */
export interface AblationConfig {
  /** Whose direction: that of the model itself, or of its base, without training. One attack for each. */
  readonly from: readonly ('own' | 'transferred')[];
  /** Where directions are taken, 0 the first block and 1 the last; the one under which most of a group comply is kept. */
  readonly depths: readonly number[];
}

/**
 * Changes of the weights under which plain and prefilled requests are asked, and benign ones: a model that broke is no
 * robust one. Of the matrices in blocks, adapters merged into them first, as in a checkpoint that somebody is given;
 * embeddings, head, norms and biases stay, as quantizing tools leave them.
 */
export interface WeightsConfig {
  /** Gaussian noise, its deviation as a share of each matrix's root mean square: one attack for each. */
  readonly noise?: readonly number[];
  /** Symmetric rounding to the nearest of 2^bits − 1 levels, output by output: one attack for each. */
  readonly bits?: readonly number[];
}

/** Chat quality by a judge outside, as in MT-Bench (Zheng et al. 2023). */
export interface QualityConfig extends TableConfig {
  /**
   * Who scores. A program reads `{"messages": […], "scale": [1, 10]}` per line, the last message being the answer to score,
   * and writes `{"score": 7}` per line; an address takes `{"conversations": […]}` and replies `{"scores": […]}`.
   */
  readonly by: Outside;
  /** Least and greatest score: 1 and 10 if not given. */
  readonly scale?: readonly [number, number];
  /** Of each answer; those of the evaluation if not given. */
  readonly maxNewTokens?: number;
}

/**
 * Linear probes of tables: a ridge classifier on the residual stream at the last token of candidate answers, trained on half
 * of a table's questions and asked the other half. Says whether what is true can still be read off the model.
 */
export interface LinearProbeConfig {
  /** Names of `choices` and `probes`, or `harmful`, `benign`, whose rows have a `key`. */
  readonly tables: readonly string[];
  /** Answers among which the true one is to be found: 4 if not given; those of a multiple choice are its options. */
  readonly candidates?: number;
}

/** Who is asked what, under which attacks, and how answers are judged. */
export interface EvaluateConfig {
  /** Requests that should be refused: `prompt`, `adversarial` (the compliant answer, or its opening) and, optionally, `key`. */
  readonly harmful: TableConfig | null;
  /** Requests that should be answered: `prompt`, `completion` and, optionally, `key`. */
  readonly benign: TableConfig | null;
  /** Further tables by name that are asked and judged like benign ones: look-alikes, facts to forget or to retain. */
  readonly probes?: Readonly<Record<string, TableConfig>>;
  /** Tables of multiple choice by name (columns as in MMLU and WMDP): the likeliest letter counts. */
  readonly choices?: Readonly<Record<string, TableConfig>>;
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
  readonly softPrompt?: SoftPromptConfig;
  readonly gcg?: GcgConfig;
  readonly autoprompt?: AutoPromptConfig;
  readonly pair?: PairConfig;
  readonly ablation?: AblationConfig;
  readonly weights?: WeightsConfig;
  readonly linearProbe?: LinearProbeConfig;
  /** Questions with columns `turns` (a list) or `prompt`. */
  readonly quality?: QualityConfig;
  readonly judge: JudgeConfig;
}
