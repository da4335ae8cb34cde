/**
 * @file Keyed randomness: every draw is a function of its key alone, so nothing depends on history and a resumed
 * run draws what the uninterrupted one would have drawn. Never `Math.random`.
 */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A short stream of draws that belongs to one key. */
export interface Draws {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
}

/**
 * The draws of one key.
 * @param seed the run's seed.
 * @param purpose what is drawn, e.g. `shuffle` or `adapter-init`.
 * @param coordinates where in the run, e.g. step and index.
 */
export function draws(seed: number, purpose: string, ...coordinates: readonly (number | string)[]): Draws {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, purpose, ...coordinates]))
    .digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  const uniform = (): number => uniformFloat64(generator);
  return {
    uniform,
    integer: (bound) => uniformInt(generator, 0, bound - 1),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** A permutation of 0 … length-1 (Fisher–Yates), a function of the key alone. */
export function permutation(
  length: number,
  seed: number,
  purpose: string,
  ...coordinates: readonly (number | string)[]
): Int32Array {
  const order = Int32Array.from({ length }, (_, index) => index);
  const draw = draws(seed, purpose, ...coordinates);
  for (let last = length - 1; last > 0; last--) {
    const pick = draw.integer(last + 1);
    [order[last], order[pick]] = [order[pick] as number, order[last] as number];
  }
  return order;
}
