/** @file How likely a model finds the completions of a table: cross-entropy and perplexity. Knows models by their losses. */
import { pack, type PackedBatch } from '../../../datasets/index.js';
import { pooledBootstrap, type Interval } from '../../../foundation/index.js';

/** Completions as a model finds them, given their prompts; every token counts the same. */
export interface Likelihood {
  readonly tokens: number;
  /** Mean, in nats a token, with the 95 % interval of the bootstrap over rows. */
  readonly crossEntropy: Interval;
  /** e to the power of it. */
  readonly perplexity: Interval;
}

/** A prompt and its completion, as tokens. */
interface Completed {
  readonly promptTokens: readonly number[];
  readonly answerTokens: readonly number[];
  /** True where the table has no completion: something else stands in its place. */
  readonly invented?: boolean;
}

/** One completion. */
export interface RowLoss {
  /** Mean cross-entropy, in nats a token. */
  readonly loss: number;
  readonly tokens: number;
}

/** Most labels of a batch: each takes as many numbers as the vocabulary has tokens. */
const LABELS = 1024;

/**
 * Loss of every completion that the table itself has.
 * @param rowLosses mean cross-entropy of each row's completion, [B].
 * @param rows most rows of a batch.
 */
export async function completionLosses(
  rowLosses: (batch: PackedBatch) => Promise<Float32Array>,
  questions: readonly Completed[],
  rows: number,
  onBatch: () => Promise<void>,
): Promise<RowLoss[]> {
  const asked = questions.filter(({ answerTokens, invented }) => !invented && answerTokens.length > 0);
  const found: RowLoss[] = [];
  for (let start = 0; start < asked.length; start = found.length) {
    await onBatch();
    const group = asked.slice(start, start + fitting(asked.slice(start, start + rows)));
    const examples = group.map(({ promptTokens, answerTokens }) => ({
      prompt: promptTokens,
      desired: answerTokens,
    }));
    const losses = await rowLosses(pack(examples, { attacked: 'none' }));
    group.forEach(({ answerTokens }, at) =>
      found.push({ loss: losses[at] as number, tokens: answerTokens.length }),
    );
  }
  return found;
}

/** Undefined for no rows, and where losses are no numbers or too large to be told: of a model that broke. */
export function likelihoodOf(rows: readonly RowLoss[]): Likelihood | undefined {
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  if (tokens === 0) return undefined;
  const mean = rows.reduce((sum, { loss, tokens: count }) => sum + loss * (count / tokens), 0);
  // A mean over tokens is a ratio of sums over rows: to first order, the mean of these over rows.
  const values = rows.map(
    ({ loss, tokens: count }) => mean + (loss - mean) * ((count * rows.length) / tokens),
  );
  const { low, high } = pooledBootstrap([values], { shared: false, seed: 0 });
  const crossEntropy = { estimate: mean, low: Math.min(low, mean), high: Math.max(high, mean) };
  const perplexity = {
    estimate: Math.exp(mean),
    low: Math.exp(crossEntropy.low),
    high: Math.exp(crossEntropy.high),
  };
  return Number.isFinite(perplexity.high) ? { tokens, crossEntropy, perplexity } : undefined;
}

/** How many of the first make a batch: at least one. */
function fitting(questions: readonly Completed[]): number {
  let labels = 0;
  const full = questions.findIndex(({ answerTokens }) => (labels += answerTokens.length) > LABELS);
  return full < 0 ? questions.length : Math.max(1, full);
}
