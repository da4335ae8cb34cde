/**
 * @file Perturbations that gradients find against suffixes that GCG searches: RT-EAT-LAT beside R2D2, from the same model, on the
 * same data, with the same number of updates. What differs is what the adversary costs.
 */
import { join } from 'node:path';
import { overlay } from '../recipes/index.js';
import { asking, RELATIVE, TEST, type Overlay } from './experiment.js';
import { evaluationTable } from './further-tables.js';
import { furtherEvaluations, type FurtherHost } from './further.js';
import { jailbreak } from './jailbreak.js';
import { table } from './markdown.js';
import { outcomeTable } from './outcomes.js';
import type { Finished } from './run-cli.js';
import type { StudyHost } from './study.js';

export const NAME = 'r2d2';
const ARMS = ['lat', 'r2d2'] as const;

/** Evaluated on the way too: success is shown against passes. */
export const SHARED: Overlay = overlay(RELATIVE, asking(TEST, { every: 6, during: 32 }));

/** @param out folder of the runs, which are gone on with. @returns tables, and the runs' folders. */
export async function r2d2(
  { seeds, out, further }: { readonly seeds: number; readonly out: string; readonly further: boolean },
  { train, evaluated, note }: StudyHost & Pick<FurtherHost, 'evaluated'>,
): Promise<{ readonly text: string; readonly runs: readonly string[] }> {
  const runs = Array.from({ length: seeds }, (_, seed) => join(out, NAME, `seed-${seed}`));
  const found: Finished[] = [];
  for (const [seed, run] of runs.entries()) {
    note(`${NAME}: seed ${seed + 1} of ${seeds}`);
    found.push(await train({ base: 'r2d2', ...SHARED, seed }, run));
  }
  const asked = { name: NAME, recipe: 'r2d2', overlay: RELATIVE, further: jailbreak.further };
  const costly = further
    ? await furtherEvaluations(asked, runs[0] as string, ARMS, join(out, NAME), { evaluated, note })
    : {};
  return { text: [...tables(found), ...evaluationTable(costly)].join('\n\n'), runs };
}

function tables(found: readonly Finished[]): string[] {
  const arms = ARMS.map((name) => found.flatMap((run) => run.arms.filter((arm) => arm.name === name)));
  const columns = arms.map((seeds, at) => ({
    name: ARMS[at] as string,
    seeds: seeds.map(({ evaluation }) => evaluation),
  }));
  const base = found.map((run) => run.base);
  const thousands = arms.map((seeds) => {
    const tokens = seeds.reduce((sum, each) => sum + each.tokens, 0) / seeds.length;
    return (tokens / 1000).toFixed(0);
  });
  return [
    ...outcomeTable(Object.keys(base[0]?.attacks ?? {}), [{ name: 'undefended', seeds: base }, ...columns]),
    'Tokens that went forward and back in training, attack and defence, in thousands:',
    table(['', ...ARMS], [['tokens', ...thousands]]),
  ];
}
