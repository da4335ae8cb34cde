/** @file The attack of a recipe, with what it must know of the base model. */
import type { PackedBatch } from '../../datasets/index.js';
import {
  createAttack,
  whiten,
  type Attack,
  type AttackConfig,
  type AttackOptions,
  type Model,
} from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import { batchesOf } from './batches.js';
import { baseWeights, type Stage } from './stage.js';

/** Batches that components of activations are taken from, where a recipe does not say. */
const WHITENING_BATCHES = 8;

/**
 * The operator for an attack of a recipe. A whitened one is given the components of the base model's activations on the
 * recipe's first batches, when it is first used: the same in a run that was resumed.
 * @throws what making an attack throws, such as SITE_UNKNOWN
 */
export function attackOf(
  config: AttackConfig,
  model: Model,
  recipe: Recipe,
  stage: Stage,
  options: Pick<AttackOptions, 'reference'> = {},
): Attack {
  const { adversary } = config;
  if (adversary?.kind !== 'whitened') return createAttack(stage.engine, model, config, options);
  const { batches = WHITENING_BATCHES, components } = adversary;
  const make = async (): Promise<Attack> => {
    const from = pairs(recipe, stage, batches);
    const base = { config: model.config };
    const whitening = await whiten(stage.engine, base, baseWeights(stage), config.sites, from, components);
    return createAttack(stage.engine, model, config, { ...options, whitening });
  };
  let made: Promise<Attack> | undefined;
  return async (weights, batch, key) => (await (made ??= make()))(weights, batch, key);
}

async function* pairs(recipe: Recipe, stage: Stage, batches: number): AsyncIterable<PackedBatch> {
  let taken = 0;
  for await (const batch of batchesOf(recipe, stage, undefined)) {
    yield batch.pairs;
    if (++taken >= batches) return;
  }
}
