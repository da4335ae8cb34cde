/** @file What training sees: packed rows with label sets. Plain typed arrays; knows nothing about files or tensors. */

/** What a token of a packed row is. Attention: a token sees the prompt and its own segment, at earlier positions. */
export const SEGMENT = { padding: 0, prompt: 1, adversarial: 2, desired: 3 } as const;

/** Which label set, or which completion, a loss is about. */
export type Completion = 'adversarial' | 'desired';

/** Tokens to be predicted. Padded entries have weight 0 (and index and token 0). */
export interface LabelSet {
  /** row · length + column of the state that predicts the token (not of the token itself). [N] */
  readonly index: Int32Array;
  /** Token id to predict. [N] */
  readonly tokens: Int32Array;
  /** 1 / (labels in the whole batch), so that a weighted sum is the mean, and microbatches add up to it. [N] */
  readonly weights: Float32Array;
}

/**
 * B rows of T columns. A pair's row is prompt + adversarial completion + desired completion, the completions hidden
 * from each other, both at the positions that follow the prompt: the same mathematics as two rows.
 */
export interface PackedBatch {
  /** Rows B. */
  readonly rows: number;
  /** 1 / (rows of the whole batch): a row's share in losses that are means over rows. */
  readonly rowWeight: number;
  /** Columns T, padded to a bucket. */
  readonly length: number;
  /** Token ids, 0 on padding. [B·T] */
  readonly tokens: Int32Array;
  /** Position ids, 0 on padding. [B·T] */
  readonly positions: Int32Array;
  /** {@link SEGMENT} of each token. [B·T] */
  readonly segments: Int32Array;
  /** Label sets by the completion they predict. */
  readonly labels: Readonly<Partial<Record<Completion, LabelSet>>>;
  /** Which perturbation vector a token receives, −1 for none; both completions share the vector of a position. [B·T] */
  readonly slots: Int32Array;
  /** Perturbation vectors per row P, padded to a bucket. */
  readonly slotCount: number;
}
