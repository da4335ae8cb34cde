/** @file The pool of a recipe: searched cases in place of its pairs. */
import { createPool, type Chat, type Inside, type Pool, type Subject } from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import { packing } from './batches.js';
import type { Stage } from './stage.js';

/** @param subject the model in training. @returns null where the recipe has no pool. */
export function poolOf(
  recipe: Recipe,
  stage: Stage,
  { inside }: Subject,
  warn: (text: string) => void,
): Pool | null {
  if (!recipe.pool) return null;
  return createPool(recipe.pool, {
    model: inside as Inside,
    chat: chatOf(recipe, stage),
    context: stage.config.contextLength,
    layout: packing(recipe),
    warn,
  });
}

/** Conversations as the recipe's data have them. */
export function chatOf({ data }: Recipe, { template, tokenizer }: Stage): Chat {
  const system = data.system === null ? [] : [{ role: 'system', content: data.system }];
  return { tokenizer, promptTokens: (messages) => template.promptTokens([...system, ...messages]) };
}
