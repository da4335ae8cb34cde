/**
 * @file The factor on a loss that keeps its gradients among the numbers that float16 has (arXiv 1710.03740): a power of two,
 * so that neither the factor nor its removal rounds anything. No tensors.
 */
import { complain } from '../foundation/index.js';

/** How losses are scaled. */
export interface LossScaling {
  /** The first scale, a power of two. */
  readonly initial: number;
  /** Updates after which a scale that did not overflow is doubled; 0 never changes it upwards. */
  readonly growAfter: number;
}

/** Room for gradients up to 16 (65504 / 2¹²); a mean over labels gives smaller ones. */
export const LOSS_SCALING: LossScaling = { initial: 2 ** 12, growAfter: 200 };

const LARGEST = 2 ** 24;

/** A scale, and for how many updates it has been good. What is saved of it is all that it is. */
export interface ScaleState {
  readonly scale: number;
  readonly good: number;
}

/** @throws LOSS_SCALE for one that is no power of two of at least 1. */
export function firstScale({ initial }: LossScaling): ScaleState {
  if (initial >= 1 && initial <= LARGEST && Number.isInteger(Math.log2(initial)))
    return { scale: initial, good: 0 };
  return complain({
    code: 'LOSS_SCALE',
    owner: 'loss scale',
    expected: `a power of two from 1 to ${LARGEST}`,
    got: String(initial),
    hint: 'choose 4096, say',
  });
}

/** After an update whose gradients were finite. */
export function grown({ scale, good }: ScaleState, { growAfter }: LossScaling): ScaleState {
  const next = good + 1;
  if (growAfter === 0 || next < growAfter) return { scale, good: next };
  return { scale: Math.min(LARGEST, 2 * scale), good: 0 };
}

/** After gradients that were not finite: the update is made again with half the scale; undefined where that is no help. */
export function shrunk({ scale }: ScaleState): ScaleState | undefined {
  return scale > 1 ? { scale: scale / 2, good: 0 } : undefined;
}
