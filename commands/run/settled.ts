/** @file Which executor a recipe or an option means. Loads the engine only where the machine decides. */
import type { ExecutorName } from '../../engine/index.js';
import type { Recipe } from '../../recipes/index.js';

/** What `auto` means on this machine: found out once. */
let automatic: Promise<ExecutorName> | undefined;

export async function executorOf({
  executor,
  threads,
  device = 0,
}: Pick<Recipe, 'executor' | 'threads' | 'device'>): Promise<ExecutorName> {
  if (executor !== 'auto') return executor;
  const { resolveExecutor } = await import('../../engine/index.js');
  return (automatic ??= resolveExecutor(executor, { threads, device }));
}

/** A recipe that says where it runs, and not `auto`: so that a run that is gone on with runs where it began. */
export async function settled(recipe: Recipe): Promise<Recipe> {
  return { ...recipe, executor: await executorOf(recipe) };
}
