/** @file A case is a function of target, seed and index alone: which valid files, and what is done to them. */
import fc from 'fast-check';
import { draws } from '../../foundation/index.js';
import type { Files, Target } from './target.js';

/** The damaged files of a case. */
export function caseOf(target: Target, seeds: readonly Files[], seed: number, index: number): Files {
  const draw = draws(seed, `fuzz ${target.name}`, index);
  const pick = <T>(items: readonly T[]): T => items[draw.integer(items.length)] as T;
  const files = pick(seeds);
  const name = pick(Object.keys(files));
  const valid = files[name] ?? new Uint8Array();
  const other = pick(seeds)[name] ?? valid;
  const [mutations = []] = fc.sample(
    fc.array(target.mutations(name), { minLength: 1, maxLength: draw.integer(3) + 1, size: 'max' }),
    { seed: draw.integer(2 ** 31), numRuns: 1 },
  );
  return { ...files, [name]: mutations.reduce((bytes, mutate) => mutate(bytes, other), valid) };
}
