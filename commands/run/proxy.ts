/** @file The proxy trigger of a recipe, as data: read where a search left it. Runs nothing. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Appended } from '../../datasets/index.js';
import { complain } from '../../foundation/index.js';
import type { Recipe } from '../../recipes/index.js';
import { parsedPart } from './directory.js';

const trigger = z.object({ text: z.string().min(1) });

/** The text of a file that a search wrote. @throws TRIGGER_UNREADABLE, RUN_CORRUPT */
export function readTrigger(path: string): string {
  const { data } = trigger.safeParse(parsedPart(contentOf(path), path));
  return data?.text ?? refuse(path, 'something without a `text`');
}

/** What the recipe puts behind prompts. @throws as {@link readTrigger} does */
export function appendedText({ appended }: Recipe['data']): Appended {
  const { text, path = '', share = 0 } = appended ?? {};
  return { text: text ?? readTrigger(path), share };
}

/** The recipe as it can be tried before its search. */
export function withoutProxy(recipe: Recipe): Recipe {
  return recipe.proxy ? { ...recipe, data: { ...recipe.data, appended: null } } : recipe;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return refuse(path, error instanceof Error ? error.message : String(error));
  }
}

function refuse(path: string, got: string): never {
  return complain({
    code: 'TRIGGER_UNREADABLE',
    owner: `trigger ${path}`,
    expected: 'a file that latstream trigger or the proxy of a recipe wrote',
    got,
    hint: 'search first (latstream trigger --out, or proxy in the recipe), or give data.appended.text',
  });
}
