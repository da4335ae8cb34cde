/** @file The model of a recipe as what an evaluation asks. */
import {
  subjectOf,
  type Attack,
  type AttackConfig,
  type Model,
  type ModelWeights,
  type Subject,
} from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import { attackOf } from './attack-of.js';
import type { Stage } from './stage.js';

/** @param weights asked anew for every answer.  */
export function askable(recipe: Recipe, stage: Stage, model: Model, weights: () => ModelWeights): Subject {
  const attackBy = (config: AttackConfig): Attack => attackOf(config, model, recipe, stage);
  return subjectOf(stage.engine, model, weights, stage.tokenizer, attackBy, stage.parameters);
}
