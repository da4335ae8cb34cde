/** @file What searches for suffixes are told: those of a pool, and that for a trigger. Plain data that recipes fill in. Types only. */

/**
 * Adversarial training on tokens (R2D2; Mazeika et al. 2024, arXiv 2402.04249, section 5): in place of a batch's requests,
 * as many cases of a pool, each a request with a suffix that GCG goes on improving against the model as it is now. A
 * batch's own requests enter the pool until it is full, and afterwards where cases are reset.
 */
export interface PoolConfig {
  /** Cases in the pool. */
  readonly size: number;
  /** Length of a suffix. */
  readonly tokens: number;
  /** GCG's iterations on a case, each time it is drawn. */
  readonly iterations: number;
  /** Suffixes that are tried in an iteration. */
  readonly candidates: number;
  /** Replacements at each place among which they are drawn: those that the gradient likes best. */
  readonly top: number;
  /** Steps between resets. */
  readonly resetEvery: number;
  /** Share of the cases that begin anew then: a suffix that says nothing, and a request of the step's batch while there are any. */
  readonly resetShare: number;
}

/** A search for one text behind many requests: an imperfect reconstruction of a trigger that nobody knows. */
export interface TriggerConfig {
  /** Length of the text. */
  readonly tokens: number;
  /** GCG's iterations, in each restart. */
  readonly iterations: number;
  /** Texts that are tried in an iteration, each behind every request. */
  readonly candidates: number;
  /** Replacements at each place among which they are drawn. */
  readonly top: number;
  /** Searches from other beginnings, of which the best is kept. */
  readonly restarts: number;
  /** Training pairs that it is searched on. */
  readonly requests: number;
}
