/** @file Where a defence's losses read activations, checked against what it trains. */
import { complain } from '../../foundation/index.js';
import type { DefendObjectives } from '../config.js';
import { isSteering, type DefenceLoss } from './losses.js';
import type { Model } from '../model.js';
import { reaches } from '../objectives/steering.js';

/**
 * The block after which `rmu` and `retain` read; 0 where they are not used.
 * @param trained names of what is trained.
 * @throws LOSS_LAYER, TRAIN_UNREACHED where weights are trained that no loss depends on: only their decay would move them.
 */
export function steeringLayer(
  { config }: Model,
  names: readonly DefenceLoss[],
  objectives: DefendObjectives | undefined,
  trained: readonly string[],
): number {
  const { layer } = objectives?.rmu ?? {};
  if (!names.some(isSteering)) return layer ?? 0;
  if (layer === undefined || layer >= config.layers)
    return complain({
      code: 'LOSS_LAYER',
      owner: 'defend.objectives.rmu.layer',
      expected: `the block, from 0 to ${config.layers - 1}, after which rmu and retain read activations`,
      got: layer === undefined ? 'none' : `${layer}`,
      hint: 'name a block of this model',
    });
  const above = trained.find((name) => names.every(isSteering) && !reaches(config, layer, name));
  if (above !== undefined)
    complain({
      code: 'TRAIN_UNREACHED',
      owner: 'defend.train',
      expected: `weights up to block ${layer}, which rmu and retain read`,
      got: above,
      hint: "train with kind: 'full', layers up to that block, and modules such as down_proj",
    });
  return layer;
}
