/** @file What the evaluations of a run have left in its directory of their figures. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { evaluationSchema, readText } from '../formats/index.js';
import { complain } from '../foundation/index.js';
import type { EvaluationsView } from './protocol.js';

/** In bytes, of one arm's evaluation. */
const LONGEST_EVALUATION = 2 ** 25;

/** The names under which a recipe's evaluations stand. */
export function evaluatedNames(recipe: unknown): string[] {
  return ['base', ...Object.keys((recipe as { readonly arms?: object }).arms ?? {})];
}

/** @param names see {@link evaluatedNames}. @throws DAEMON_RECORD where a file is no evaluation */
export async function evaluationsIn(directory: string, names: readonly string[]): Promise<EvaluationsView> {
  const models: EvaluationsView['models'] = [];
  for (const name of names) {
    const path = join(directory, name, 'evaluation.json');
    if (existsSync(path)) models.push({ name, evaluation: await evaluationIn(path) });
  }
  return { models };
}

async function evaluationIn(path: string): Promise<EvaluationsView['models'][number]['evaluation']> {
  try {
    return evaluationSchema.parse(JSON.parse(await readText(path, LONGEST_EVALUATION)));
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    return complain(
      {
        code: 'DAEMON_RECORD',
        owner: `run, ${path}`,
        expected: 'an evaluation',
        got: (line ?? '').slice(0, 200),
        hint: 'the file was damaged or changed: restore it, or submit the run again',
      },
      { cause: error },
    );
  }
}
