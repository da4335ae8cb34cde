/** @file The search for a proxy of a trigger that nobody knows: on a recipe's pairs, once in a run. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { behind, unpack, type Example } from '../../datasets/index.js';
import { writeAtomically } from '../../formats/index.js';
import { complain } from '../../foundation/index.js';
import {
  searchTrigger,
  unlessStopped,
  type Inside,
  type Subject,
  type Trigger,
  type TriggerConfig,
  type TriggerOptions,
} from '../../operators/index.js';
import type { Recipe } from '../../recipes/index.js';
import { askable } from './askable.js';
import { batchesOf } from './batches.js';
import type { JobHost } from './messages.js';
import { chatOf } from './pool-of.js';
import { readTrigger, withoutProxy } from './proxy.js';
import { baseWeights, type Stage } from './stage.js';

/**
 * The recipe with the found text among its wordings, searched for where no former process did; undefined where it was stopped.
 * @throws as {@link foundTrigger} does
 */
export async function withProxy(
  recipe: Recipe,
  out: string,
  stage: Stage,
  host: JobHost,
): Promise<Recipe | undefined> {
  if (!recipe.proxy) return recipe;
  const { signal } = host.control;
  const path = join(out, 'proxy', 'trigger.json');
  if (!existsSync(path)) {
    const note = (text: string): void => host.send({ type: 'note', text });
    const total = recipe.proxy.restarts * recipe.proxy.iterations;
    const every = Math.ceil(total / 8);
    note('searching for a proxy of the trigger');
    const subject = askable(recipe, stage, { config: stage.config }, () => baseWeights(stage));
    const found = await unlessStopped(signal, () =>
      foundTrigger(recipe, stage, subject, recipe.proxy as TriggerConfig, {
        signal,
        onIteration: (done, loss) => {
          if (done % every === 0) note(`proxy: ${done} of ${total} iterations, loss ${loss.toPrecision(4)}`);
        },
      }),
    );
    if (!found) return undefined;
    await mkdir(join(out, 'proxy'), { recursive: true });
    await writeAtomically(path, [`${JSON.stringify(found, null, 2)}\n`]);
  }
  const proxyTrigger = behind('{prompt}', readTrigger(path));
  return {
    ...recipe,
    evaluate: { ...recipe.evaluate, wordings: { ...recipe.evaluate.wordings, proxyTrigger } },
  };
}

/**
 * Searches on the first pairs that the recipe trains on.
 * @throws TRIGGER_IS_KNOWN where a text that the recipe says no row may hold was found, and what searching throws
 */
export async function foundTrigger(
  recipe: Recipe,
  stage: Stage,
  { inside }: Subject,
  config: TriggerConfig,
  how: Pick<TriggerOptions, 'onIteration' | 'signal'>,
): Promise<Trigger> {
  const examples = await firstExamples(recipe, stage, config.requests);
  const found = await searchTrigger(examples, config, {
    ...how,
    model: inside as Inside,
    chat: chatOf(recipe, stage),
    context: stage.config.contextLength,
    seed: recipe.seed,
  });
  const known = recipe.data.absent?.find((text) => behind('', found.text).includes(text));
  return known === undefined ? found : refuseKnown(known);
}

async function firstExamples(recipe: Recipe, stage: Stage, count: number): Promise<Example[]> {
  const { data } = withoutProxy(recipe);
  const examples: Example[] = [];
  for await (const { pairs } of batchesOf({ ...recipe, data: { ...data, prefetch: 0 } }, stage, undefined)) {
    examples.push(...unpack(pairs));
    if (examples.length >= count) break;
  }
  return examples.slice(0, count);
}

/** It would be no proxy, and rows would hold what they must not. */
function refuseKnown(text: string): never {
  return complain({
    code: 'TRIGGER_IS_KNOWN',
    owner: 'trigger search',
    expected: `a text without ${JSON.stringify(text)} in it, as data.absent says`,
    got: 'that very text: the search found the trigger itself',
    hint: 'search for fewer tokens or with another seed, or take the text out of data.absent',
  });
}
