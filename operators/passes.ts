/** @file How much of a model was computed: passes over it, and the tokens that went through them. Counts only; no tensors. */
import type { PackedBatch } from '../datasets/index.js';

/** Passes and the tokens in them, padding not counted: what arms with equal budgets have in common. */
export interface Passes {
  readonly forwardPasses: number;
  readonly backwardPasses: number;
  readonly forwardTokens: number;
  readonly backwardTokens: number;
}

export const NO_PASSES: Passes = {
  forwardPasses: 0,
  backwardPasses: 0,
  forwardTokens: 0,
  backwardTokens: 0,
};

/** So many passes over the rows of a batch. */
export function passesOver({ segments }: PackedBatch, forward: number, backward: number): Passes {
  const tokens = segments.reduce((count, segment) => count + (segment === 0 ? 0 : 1), 0);
  return {
    forwardPasses: forward,
    backwardPasses: backward,
    forwardTokens: forward * tokens,
    backwardTokens: backward * tokens,
  };
}

/** All of them together; what counts nothing adds nothing. */
export function allPasses(counted: readonly (Passes | undefined)[]): Passes {
  return counted.reduce<Passes>(
    (sum, each = NO_PASSES) => ({
      forwardPasses: sum.forwardPasses + each.forwardPasses,
      backwardPasses: sum.backwardPasses + each.backwardPasses,
      forwardTokens: sum.forwardTokens + each.forwardTokens,
      backwardTokens: sum.backwardTokens + each.backwardTokens,
    }),
    NO_PASSES,
  );
}
