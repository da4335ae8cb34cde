/** @file What a sweep came to: printed, and written as Markdown with its pictures, HTML and CSV. */
import { dirname, join, resolve } from 'node:path';
import { writeAtomically } from '../../formats/index.js';
import { evaluationValues } from '../../operators/light/index.js';
import { htmlOf, markdownOf } from '../../report/index.js';
import {
  armsOf,
  axisText,
  cellTable,
  csvOf,
  documentOf,
  groupsOf,
  groupTable,
  hasSeeds,
  type Axis,
  type Cell,
  type Group,
  type Order,
  type Plan,
  type Standing,
} from '../../sweeps/index.js';
import { stateDirectory } from '../daemon.js';
import { makeDirectory } from '../outputs.js';
import { tableOf } from '../run/summary.js';

export interface SweepResults {
  readonly plan: Plan;
  readonly axes: readonly Axis[];
  /** What was asked for, for people. */
  readonly about: string;
  readonly standings: readonly Standing[];
  /** Whose figures are shown. */
  readonly arm: string;
  readonly directory: string;
}

interface Asked {
  readonly json?: boolean;
  readonly state?: string;
  readonly out?: string;
}

/** Made before any work. @throws OUT_NOT_DIRECTORY, OUT_NOT_WRITABLE */
export async function sweepDirectory(name: string, { out, state }: Asked): Promise<string> {
  const directory = resolve(out ?? join(state ?? stateDirectory(), 'sweeps', name));
  await makeDirectory(directory);
  return directory;
}

/** Writes `sweep.md` with `sweep-figures/`, `sweep.html` and `sweep.csv`, and prints the cells, or JSON. */
export async function tellSweep(results: SweepResults, { json }: Asked, order?: Order): Promise<void> {
  const { plan, about, standings, directory } = results;
  const arms = armsOf(standings);
  const report = documentOf(plan.name, about, standings, arms, order);
  const { text, figures } = markdownOf(report, 'sweep-figures');
  for (const [path, drawing] of figures) {
    const place = join(directory, path);
    await makeDirectory(dirname(place));
    await writeAtomically(place, [drawing]);
  }
  await writeAtomically(join(directory, 'sweep.md'), [text]);
  await writeAtomically(join(directory, 'sweep.html'), [htmlOf(report)]);
  await writeAtomically(join(directory, 'sweep.csv'), [csvOf(standings)]);
  const groups = hasSeeds(standings) ? groupsOfArm(results, arms) : [];
  process.stdout.write(
    json ? `${JSON.stringify(asJson(results, groups))}\n` : asText(results, groups, order),
  );
}

function groupsOfArm(
  { arm, standings }: SweepResults,
  arms: ReadonlyMap<string, readonly Group[]>,
): readonly Group[] {
  return arm === 'base' ? groupsOf(standings, arm) : (arms.get(arm) ?? []);
}

function asText(
  { standings, arm, directory }: SweepResults,
  groups: readonly Group[],
  order?: Order,
): string {
  const cells = tableOf(cellTable(standings, arm, order));
  const means = groups.length > 0 ? ['', 'means over seeds:', tableOf(groupTable(groups, arm, order))] : [];
  const notes = [
    '[low, high]: 95 % intervals (Wilson; of means, the bootstrap over seeds and requests); incoherent: the most under any attack',
    `${directory}/sweep.md, .html, .csv`,
  ];
  return `${[`arm ${arm}:`, cells, ...means, '', ...notes].join('\n')}\n`;
}

function asJson({ plan, axes, standings, arm, directory }: SweepResults, groups: readonly Group[]): object {
  return {
    name: plan.name,
    axes: axes.map(axisText),
    arm,
    cells: standings.map(({ cell, digest, run, models, damage }) => ({
      settings: settingsOf(cell),
      digest,
      run: run?.id ?? null,
      state: run?.state ?? 'missing',
      reason: damage ?? run?.reason ?? null,
      models: Object.fromEntries(models.map(({ name, evaluation }) => [name, evaluationValues(evaluation)])),
    })),
    means: groups.map(({ cell, seeds, experiment }) => ({
      settings: settingsOf(cell),
      seeds,
      measures: experiment.measures.flatMap(({ name, counts, models }) =>
        models[arm] ? [{ name, counts, ...models[arm] }] : [],
      ),
    })),
    directory,
  };
}

function settingsOf(cell: Cell): object {
  return Object.fromEntries(cell.map(({ name, value }) => [name, value]));
}
