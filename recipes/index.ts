export { checkRecipe } from './explain.js';
export { loadRecipe, recipeOfArm, RECIPES, type RecipeOverrides } from './load.js';
export { recipeSchema, type Recipe, type SourceConfig } from './schema.js';
