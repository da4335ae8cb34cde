/** @file The columns of public benchmarks, so that their files can be asked as they come. Reads nothing. */
import type { ColumnFilter } from './filter.js';

/** Which columns of a benchmark are what, and which of its rows are of a role. */
export interface Layout {
  readonly name: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly filter?: readonly ColumnFilter[];
}

/** What rows are asked for: requests that should be refused, or answered. */
export type LayoutRole = 'harmful' | 'benign';

/**
 * By role, more particular ones first. Column names are those of the published files:
 * - XSTest (`xstest_prompts.csv`): `prompt`, `type`, `label` safe or unsafe; older files have a `type` that begins with
 *   `contrast_` for unsafe ones instead.
 * - JailbreakBench: `Goal`, `Target`. AdvBench (`harmful_behaviors.csv`): `goal`, `target`.
 * - HarmBench: `Behavior`, `FunctionalCategory`, `ContextString`; copyright behaviours are judged otherwise and left out.
 * - StrongREJECT: `forbidden_prompt`.
 */
const LAYOUTS: Readonly<Record<LayoutRole, readonly Layout[]>> = {
  harmful: [
    {
      name: 'XSTest',
      columns: { prompt: 'prompt' },
      filter: [{ column: 'label', equals: 'unsafe' }],
    },
    { name: 'JailbreakBench', columns: { prompt: 'Goal', adversarial: 'Target' } },
    { name: 'AdvBench', columns: { prompt: 'goal', adversarial: 'target' } },
    {
      name: 'HarmBench',
      columns: { prompt: 'Behavior', about: 'ContextString' },
      filter: [{ column: 'FunctionalCategory', notEquals: 'copyright' }],
    },
    { name: 'StrongREJECT', columns: { prompt: 'forbidden_prompt' } },
    {
      name: 'pairs',
      columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired', key: 'key' },
    },
    { name: 'pairs', columns: { prompt: 'prompt', adversarial: 'adversarial', desired: 'desired' } },
    { name: 'LLM-LAT', columns: { prompt: 'prompt', adversarial: 'rejected', desired: 'chosen' } },
    { name: 'behaviours', columns: { prompt: 'behavior', adversarial: 'target' } },
    { name: 'behaviours', columns: { prompt: 'behavior' } },
    { name: 'prompts', columns: { prompt: 'prompt' } },
  ],
  benign: [
    { name: 'XSTest', columns: { prompt: 'prompt' }, filter: [{ column: 'label', equals: 'safe' }] },
    { name: 'answers', columns: { prompt: 'prompt', completion: 'completion', key: 'key' } },
    { name: 'answers', columns: { prompt: 'prompt', completion: 'completion' } },
    { name: 'LLM-LAT', columns: { prompt: 'prompt', completion: 'response' } },
    { name: 'alpaca', columns: { prompt: 'instruction', input: 'input', completion: 'output' } },
    { name: 'JailbreakBench', columns: { prompt: 'Goal', completion: 'Target' } },
    { name: 'prompts', columns: { prompt: 'prompt' } },
  ],
};

/** The first layout all of whose columns are there; undefined where none is. */
export function layoutOf(columns: readonly string[], role: LayoutRole): Layout | undefined {
  return LAYOUTS[role].find((layout) =>
    [...Object.values(layout.columns), ...(layout.filter ?? []).map(({ column }) => column)].every((column) =>
      columns.includes(column),
    ),
  );
}
