/** @file The next token from logits: greedy, or drawn. Pure host code; its randomness comes from the caller. */
import { complain, type Draws } from '../../foundation/index.js';

/** How tokens are drawn; temperature 0 is greedy. */
export interface Sampling {
  readonly temperature: number;
  /** Only the k likeliest tokens. */
  readonly topK?: number;
  /** Only the likeliest tokens that together reach this probability. */
  readonly topP?: number;
  readonly seed: number;
}

/** The likeliest token; the lowest id where several are. @throws GENERATE_NAN where a logit is not a number. */
export function greedyToken(logits_V: ArrayLike<number>): number {
  let best = 0;
  for (let token = 0; token < logits_V.length; token++) {
    const logit = logits_V[token] as number;
    if (Number.isNaN(logit))
      complain({
        code: 'GENERATE_NAN',
        owner: 'generate',
        expected: 'logits that are numbers',
        got: `NaN for token ${token}`,
        hint: 'the weights or the perturbation have overflowed: look at their norms',
      });
    if (logit > (logits_V[best] as number)) best = token;
  }
  return best;
}

/** A token drawn from softmax(logits / temperature) restricted to the top k, then to the top p. */
export function drawnToken(logits_V: ArrayLike<number>, sampling: Sampling, draw: Draws): number {
  const best = greedyToken(logits_V);
  const { temperature, topK = logits_V.length, topP = 1 } = sampling;
  if (temperature === 0) return best;
  const peak = logits_V[best] as number;
  const weights_V = new Float64Array(logits_V.length);
  for (let token = 0; token < weights_V.length; token++)
    weights_V[token] = Math.exp(((logits_V[token] as number) - peak) / temperature);
  const uniform = draw.uniform();
  const limited = topK < weights_V.length;
  const least = limited ? largest(weights_V, topK) : negligible(weights_V, topP < 1 ? topP : uniform);
  const ranked = byRank(tokensOf(weights_V, least), logits_V).slice(0, topK);
  const weights = ranked.map((token) => weights_V[token] as number);
  const total = sum(limited ? weights : weights_V);
  const kept = topP < 1 ? nucleus(weights, topP * total) : weights;
  let left = uniform * (topP < 1 ? sum(kept) : total);
  const found = kept.findIndex((weight) => (left -= weight) < 0);
  return ranked[found < 0 ? kept.length - 1 : found] as number;
}

/** The k-th largest. */
function largest(weights: Float64Array, k: number): number {
  return weights.slice().sort()[weights.length - k] as number;
}

/**
 * A weight so small that all smaller ones together are less than what `share` of the total leaves: they need not be
 * ranked, which takes longer than anything else where a vocabulary is large.
 */
function negligible(weights: Float64Array, share: number): number {
  return ((1 - share) * sum(weights)) / weights.length;
}

/** Tokens of at least this weight, in order. */
function tokensOf(weights_V: Float64Array, least: number): number[] {
  const tokens: number[] = [];
  for (let token = 0; token < weights_V.length; token++)
    if ((weights_V[token] as number) >= least) tokens.push(token);
  return tokens;
}

/** Larger than any vocabulary; beside the 32 bits of a logit, an id fits a double exactly. */
const IDS = 2 ** 21;

/** The likeliest first, the lowest id first where several are: one key each, so that the runtime sorts plain numbers. */
function byRank(tokens: readonly number[], logits_V: ArrayLike<number>): number[] {
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const keys = new Float64Array(tokens.length);
  tokens.forEach((token, at) => {
    float[0] = (logits_V[token] as number) + 0; // -0 is 0
    const [pattern = 0] = bits;
    const order = pattern >= 2 ** 31 ? 2 ** 32 - pattern : pattern + 2 ** 31;
    keys[at] = order * IDS + (IDS - 1 - token);
  });
  return Array.from(keys.sort().reverse(), (key) => IDS - 1 - (key % IDS));
}

/** The shortest prefix that reaches `wanted`; never empty. */
function nucleus(sorted: readonly number[], wanted: number): readonly number[] {
  let reached = 0;
  const end = sorted.findIndex((weight) => (reached += weight) >= wanted);
  return end < 0 ? sorted : sorted.slice(0, end + 1);
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index] as number;
  return total;
}
