/** @file Suffixes that a gradient suggests: one token of the present one replaced. No model, no text. */
import type { Draws } from '../../foundation/index.js';

/** A suffix, and what its tokens' replacement would change. */
export interface Sloped {
  readonly tokens: readonly number[];
  /** By place and token of the vocabulary; lower is better. [P·V] */
  readonly slopes: Float32Array;
  /** Tokens that may be put in. */
  readonly allowed: readonly number[];
}

/** Suffixes to try, best ideas first or by chance: whoever takes them stops when there are enough. */
export type Propose = (sloped: Sloped, top: number, draws: Draws) => Iterable<readonly number[]>;

/** GCG: a place and one of its `top` replacements by chance, again and again. */
export function* anywhere(sloped: Sloped, top: number, draws: Draws): Iterable<readonly number[]> {
  const best = sloped.tokens.map((_, place) => replacements(sloped, place, top));
  for (;;) {
    const place = draws.integer(best.length);
    const choices = best[place] as readonly number[];
    yield replaced(sloped.tokens, place, choices[draws.integer(choices.length)] as number);
  }
}

/** AutoPrompt: the `top` replacements of one place, by chance which. */
export function* atOnePlace(sloped: Sloped, top: number, draws: Draws): Iterable<readonly number[]> {
  const place = draws.integer(sloped.tokens.length);
  for (const token of replacements(sloped, place, top)) yield replaced(sloped.tokens, place, token);
}

/** The allowed tokens with the lowest slopes at a place, the lowest first. */
function replacements({ slopes, allowed, tokens }: Sloped, place: number, top: number): readonly number[] {
  const vocabulary = slopes.length / tokens.length;
  const slope = (token: number): number => slopes[place * vocabulary + token] as number;
  const limit = Float32Array.from(allowed, slope).sort()[Math.min(top, allowed.length) - 1] as number;
  return allowed
    .filter((token) => slope(token) <= limit)
    .sort((a, b) => slope(a) - slope(b))
    .slice(0, top);
}

function replaced(tokens: readonly number[], place: number, token: number): readonly number[] {
  return tokens.map((before, at) => (at === place ? token : before));
}
