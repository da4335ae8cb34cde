/** @file What people who look on are told about a run, whoever serves them. */
import { streamGraphs, type StreamGraph } from './graph.js';
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
  readonly [detail: string]: unknown;
}

/** @throws as `recipeOfArm` */
export function describeRecipe(recipe: Recipe): RecipeDescription {
  const { name, seed, steps } = recipe;
  const arms = [...(recipe.prepare ? ['prepare'] : []), ...Object.keys(recipe.arms)];
  return { name, seed, arms, steps, recipe, graphs: streamGraphs(recipe) };
}
