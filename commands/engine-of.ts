/** @file The engine that a recipe or options name. */
import { createEngine, onnxruntimeExecutor, tfjsExecutor, type Engine } from '../engine/index.js';
import { programRun } from '../operators/index.js';
import type { Recipe } from '../recipes/index.js';
import { endIfOrphaned } from './orphan.js';

/** What of a recipe says how programs run. */
export type Running = Pick<Recipe, 'executor' | 'threads' | 'activations'>;

/** An engine on the executor that a recipe or an option names. */
export function engineOf(options: Running): Engine {
  const executor = options.executor === 'tfjs' ? tfjsExecutor() : onnxruntimeExecutor(options);
  return createEngine(executor, {
    beforeRun: () => {
      endIfOrphaned();
      programRun();
    },
  });
}
