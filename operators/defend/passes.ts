/** @file What a defence on a batch costs, from its losses and rows alone. */
import { COMPARED_AT, isOfPairs, type DefenceLoss } from './losses.js';
import type { DefendPart } from './part.js';
import { comparedCompletions, DEFENCE_AIMS, isPairLoss } from '../objectives/pair-objectives.js';
import { allPasses, passesOver, type Passes } from '../passes.js';

/** One update: forward and back over each part's rows; the kl of a batch in parts is looked at before. */
export function updatePasses(losses: readonly DefenceLoss[], parts: readonly DefendPart[]): Passes {
  const benign = losses.some((name) => !isOfPairs(name));
  const looks = losses.includes('kl') && parts.length > 1 ? 1 : 0;
  return allPasses(
    parts.flatMap((part) => [
      part.pairs && losses.some(isOfPairs) ? passesOver(part.pairs, 1, 1) : undefined,
      part.benign && benign ? passesOver(part.benign, 1 + looks, 1) : undefined,
    ]),
  );
}

/** Once for all updates on a batch: the base model, forward, for each loss that compares with it. */
export function referencePasses(losses: readonly DefenceLoss[], parts: readonly DefendPart[]): Passes {
  const compared = comparedCompletions(losses.filter(isPairLoss), DEFENCE_AIMS).length > 0;
  const kept = losses.filter((name) => name in COMPARED_AT || name === 'retain').length;
  return allPasses(
    parts.flatMap(({ pairs, benign }) => [
      pairs && compared ? passesOver(pairs, 1, 0) : undefined,
      benign ? passesOver(benign, kept, 0) : undefined,
    ]),
  );
}
