/** @file What an attack on a batch costs, from its configuration alone. */
import type { PackedBatch } from '../../datasets/index.js';
import { holdsVectors } from './adversary.js';
import type { AttackPlan } from './plan.js';
import type { AttackConfig } from '../config.js';
import { ATTACK_AIMS, comparedCompletions } from '../objectives/pair-objectives.js';
import { passesOver, type Passes } from '../passes.js';

/**
 * Each iteration is a pass forward and one back. Forward only: the survey of activations, the reference of losses that compare,
 * every restart's judgement of its rows, and the last look at a perturbation that no iteration has looked at.
 */
export function attackPasses(config: AttackConfig, plan: AttackPlan, batch: PackedBatch): Passes {
  const searches = config.restarts ?? 1;
  const iterations = searches * (config.search === 'noise' ? 0 : config.iterations);
  const surveyed = config.radius === 'relative' || !holdsVectors(plan.adversary);
  const compared = comparedCompletions(plan.losses, ATTACK_AIMS).length > 0;
  const assessed = config.search === 'noise' || searches > 1;
  const extra = Number(surveyed) + Number(compared) + Number(assessed) + (searches > 1 ? searches : 0);
  return passesOver(batch, iterations + extra, iterations);
}
