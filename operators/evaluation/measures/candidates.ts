/** @file What linear probes are asked: the true answer of a row among answers of others. */
import type { Conversation } from '../../../datasets/index.js';
import { complain, permutation } from '../../../foundation/index.js';
import type { LinearProbeConfig } from '../config.js';
import { distinct, type ChoiceQuestion } from './choices.js';

interface Keyed {
  readonly prompt: string;
  readonly key?: string;
}

const CANDIDATES = 4;

/**
 * By table: of multiple choice as it is; of others the rows with a `key`, their own among keys of other rows, which chance
 * draws.
 * @throws EVALUATE_PROBE where a table is not there, or has fewer keys than there should be candidates.
 */
export function keyedChoices(
  config: LinearProbeConfig | undefined,
  tables: Readonly<Record<string, readonly Keyed[]>>,
  choices: Readonly<Record<string, readonly ChoiceQuestion[]>>,
  conversation: (prompt: string, answers: readonly string[]) => Conversation,
): Record<string, readonly ChoiceQuestion[]> {
  const { tables: asked = [], candidates = CANDIDATES } = config ?? {};
  const found: Record<string, readonly ChoiceQuestion[]> = {};
  for (const name of asked) {
    const rows = (tables[name] ?? []).flatMap(({ prompt, key }) =>
      key === undefined ? [] : [{ prompt, key }],
    );
    const keys = [...new Set(rows.map(({ key }) => key))];
    if (!choices[name] && keys.length < candidates) refuseKeys(name, keys.length, candidates);
    found[name] =
      choices[name] ??
      rows.map(({ prompt, key }, row) => {
        const others = [...permutation(keys.length, 0, 'candidates', name, row)]
          .map((at) => keys[at] as string)
          .filter((other) => other !== key);
        const answers = [key, ...others.slice(0, candidates - 1)];
        const { prompt: promptTokens, completions } = conversation(prompt, answers);
        return { promptTokens, letters: distinct(completions), right: 0 };
      });
  }
  return found;
}

function refuseKeys(name: string, keys: number, candidates: number): never {
  return complain({
    code: 'EVALUATE_PROBE',
    owner: `evaluate.linearProbe, table ${name}`,
    expected: `a table of evaluate.choices, or harmful, benign or one of evaluate.probes with ${candidates} different keys`,
    got: `${keys} keys`,
    hint: 'name a table that is asked, map its column `key`, or lower candidates',
  });
}
