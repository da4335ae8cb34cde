/** @file Finds what is wrong with a job before anything is spent on it: sites, projections, tables. */
import { parseProjection } from '../../engine/models/index.js';
import { attackPlan, suffixOf } from '../../operators/index.js';
import { recipeOfArm, recipeOfPreparation, type Recipe } from '../../recipes/index.js';
import { batchesOf } from './batches.js';
import { chatOf } from './pool-of.js';
import { withoutProxy } from './proxy.js';
import type { Stage } from './stage.js';

/**
 * Checks every arm against the model, and makes the first batch of every arm's data.
 * @throws SITE_UNKNOWN, SITE_DUPLICATE, LOSS_UNKNOWN, LOSS_NONE, ATTACK_CONFLICT, LORA_UNKNOWN_PROJECTION, SUFFIX_LOST, and what reading and tokenizing rows throws
 */
export async function rehearse(recipe: Recipe, stage: Stage): Promise<void> {
  const tried = new Set<string>();
  const preparation = recipeOfPreparation(recipe);
  const arms = Object.keys(recipe.arms).map((name) => withoutProxy(recipeOfArm(recipe, name)));
  for (const arm of [...(preparation ? [preparation] : []), ...arms]) {
    const { train } = arm.defend;
    for (const attack of [arm.attack, arm.evaluate.latent])
      if (attack) attackPlan({ config: stage.config }, attack);
    if (train.kind === 'adapters') train.projections.forEach((name) => parseProjection(stage.config, name));
    for (const tokens of [arm.pool?.tokens, arm.proxy?.tokens])
      if (tokens !== undefined) suffixOf(chatOf(arm, stage), 'A request.', tokens);
    const key = JSON.stringify([arm.data, arm.seed, arm.attack?.segments]);
    if (!tried.has(key)) await firstBatch(arm, stage);
    tried.add(key);
  }
}

async function firstBatch(arm: Recipe, stage: Stage): Promise<void> {
  for await (const _batch of batchesOf({ ...arm, data: { ...arm.data, prefetch: 0 } }, stage, undefined))
    return;
}
