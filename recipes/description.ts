/** @file What people who look on are told about a run, whoever serves them. */
import { streamGraphs, type StreamGraph } from './graph.js';
import type { Settings } from '../operators/index.js';
import { recipeOfArm, recipeOfPreparation } from './load.js';
import type { Recipe } from './schema.js';

export interface RecipeDescription {
  readonly name: string;
  readonly seed: number;
  /** In their order, what prepares the model first. */
  readonly arms: readonly string[];
  readonly steps: number;
  readonly recipe: Recipe;
  /** By arm. */
  readonly graphs: Readonly<Record<string, StreamGraph>>;
  /** What may be changed while an arm trains, by arm, as the recipe says it; without ε where there is no attack. */
  readonly settings: Readonly<Record<string, Settings>>;
  readonly [detail: string]: unknown;
}

/** @throws as `recipeOfArm` */
export function describeRecipe(recipe: Recipe): RecipeDescription {
  const { name, seed, steps } = recipe;
  const arms = [...(recipe.prepare ? ['prepare'] : []), ...Object.keys(recipe.arms)];
  const told = arms.map((arm) => [arm, settingsOf(recipe, arm)] as const);
  return {
    ...{ name, seed, arms, steps, recipe },
    graphs: streamGraphs(recipe),
    settings: Object.fromEntries(told),
  };
}

function settingsOf(recipe: Recipe, arm: string): Settings {
  const own = (arm === 'prepare' ? recipeOfPreparation(recipe) : undefined) ?? recipeOfArm(recipe, arm);
  const { learningRate } = own.defend;
  const evaluateEvery = own.evaluate.every;
  return { learningRate, evaluateEvery, ...(own.attack && { epsilon: own.attack.epsilon }) };
}
