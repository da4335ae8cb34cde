export { TRIGGER } from './backdoor.js';
export { describeRecipe, type RecipeDescription } from './description.js';
export { checkRecipe } from './explain.js';
export type { StreamEdge, StreamGraph, StreamNode } from './graph.js';
export { overlay } from './overlay.js';
export {
  loadRecipe,
  recipeOfArm,
  recipeOfPreparation,
  RECIPES,
  withSettings,
  type RecipeOverrides,
} from './load.js';
export { PUBLISHED } from './published.js';
export {
  MOST_THREADS,
  recipeSchema,
  type Recipe,
  type SourceConfig,
  type TrainingSourceConfig,
} from './schema.js';
