/** @file The engine that a recipe or options name. */
import {
  createEngine,
  createExecutor,
  requireExecutor,
  requirePrecision,
  type Engine,
} from '../../engine/index.js';
import { programRun } from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import { endIfOrphaned } from './orphan.js';
import { executorOf } from './settled.js';

/** What of a recipe says how programs run. */
export type Running = Pick<
  Recipe,
  'executor' | 'device' | 'threads' | 'activations' | 'precision' | 'lossScale' | 'weights'
>;

/**
 * An engine on the executor that a recipe or an option names.
 * @throws EXECUTOR_UNAVAILABLE, PRECISION_UNSUPPORTED where this machine cannot run it
 */
export async function engineOf(options: Running): Promise<Engine> {
  const name = await executorOf(options);
  const place = { ...options, device: options.device ?? 0 };
  await requireExecutor(name, place);
  const { precision = 'float32', weights = precision, lossScale } = options;
  for (const needed of new Set([precision, weights])) await requirePrecision(name, needed, place);
  return createEngine(await createExecutor(name, options), {
    weights,
    ...(lossScale && precision === 'float16' && { lossScale }),
    beforeRun: () => {
      endIfOrphaned();
      programRun();
    },
  });
}
