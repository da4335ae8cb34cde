/**
 * @file The package's public surface: everything a run is made of, so that one can be composed in code.
 *
 *     const { config, parameters } = await loadModel('model');
 *     const engine = createEngine(onnxruntimeExecutor({ threads: 2 }));
 *     const defender = createDefender(engine, { config }, defend, { weights, updates, seed });
 *     await run({ batches, attack: createAttack(engine, defender.model, attack), defender, … });
 *
 * Whoever serves people (HTTP, signals) should run this in a worker: the executor blocks its thread.
 */
export * from './datasets/index.js';
export * from './engine/index.js';
export type { Model as LoadedModel } from './engine/index.js';
export { readSafetensors, writeSafetensors } from './formats/index.js';
export { complain, LatstreamError, pairedDifference, wilson, type Interval } from './foundation/index.js';
export { metricsIn, openRecord, startMonitor, type Monitor, type MonitorOptions } from './monitor/index.js';
export * from './operators/index.js';
export type { Model } from './operators/index.js';
export { loadRecipe, recipeOfArm, recipeSchema, RECIPES, type Recipe } from './recipes/index.js';
export * from './streams/index.js';
