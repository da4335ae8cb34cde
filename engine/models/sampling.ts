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
  if (sampling.temperature === 0) return best;
  const peak = logits_V[best] as number;
  const ranked = Array.from(logits_V, (_, token) => token).sort(
    (a, b) => (logits_V[b] as number) - (logits_V[a] as number) || a - b,
  );
  const weights = ranked.slice(0, sampling.topK ?? ranked.length).map((token) => ({
    token,
    weight: Math.exp(((logits_V[token] as number) - peak) / sampling.temperature),
  }));
  const kept = nucleus(weights, sampling.topP ?? 1);
  let left = draw.uniform() * kept.reduce((sum, { weight }) => sum + weight, 0);
  for (const { token, weight } of kept) {
    left -= weight;
    if (left < 0) return token;
  }
  return (kept.at(-1) as { token: number }).token;
}

/** The shortest prefix that reaches `share` of the total; never empty. */
function nucleus<T extends { readonly weight: number }>(sorted: readonly T[], share: number): readonly T[] {
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  const end = sorted.findIndex(({ weight }) => (reached += weight) >= share * total);
  return end < 0 ? sorted : sorted.slice(0, end + 1);
}
