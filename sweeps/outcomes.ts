/** @file What cells came to, as reports count it: each cell alone, and all seeds of one setting together. */
import { experimentsOf, type Experiment, type Measure, type RunRecord, type Share } from '../report/index.js';
import type { Cell } from './cells.js';
import type { Measures } from './protocol.js';
import type { Standing } from './queue.js';

/** Cells that differ in nothing but their seed. */
export interface Group {
  /** Without the seed. */
  readonly cell: Cell;
  /** Of these cells, those that are evaluated. */
  readonly seeds: number;
  readonly experiment: Experiment;
}

const SEED = 'seed';

/** A cell alone; undefined where nothing of it has been evaluated. */
export function outcomeOf(standing: Standing): Experiment | undefined {
  if (standing.models.length === 0) return undefined;
  return experimentsOf([recordOf(standing, '')])[0];
}

/** Whether the seed is varied. */
export function hasSeeds(standings: readonly Pick<Standing, 'cell'>[]): boolean {
  return standings.some(({ cell }) => cell.some(({ name }) => name === SEED));
}

/** What every arm came to that was evaluated in any cell, in the recipe's order: all seeds of each setting together. */
export function armsOf(standings: readonly Standing[]): ReadonlyMap<string, readonly Group[]> {
  const names = Object.keys(standings[0]?.recipe.arms ?? {});
  const groups = names.map((name) => [name, groupsOf(standings, name)] as const);
  return new Map(groups.filter(([, found]) => found.length > 0));
}

/** In the order in which settings come first. @param model that must have been evaluated */
export function groupsOf(standings: readonly Standing[], model: string): Group[] {
  const groups = new Map<string, Standing[]>();
  for (const standing of standings) {
    if (!standing.models.some(({ name }) => name === model)) continue;
    const key = JSON.stringify(withoutSeed(standing.cell));
    groups.set(key, [...(groups.get(key) ?? []), standing]);
  }
  return [...groups.values()].flatMap((all) => {
    const [experiment] = experimentsOf(all.map((each) => recordOf(each, '', model)));
    const cell = withoutSeed(all[0]?.cell ?? []);
    return experiment ? [{ cell, seeds: all.length, experiment }] : [];
  });
}

/** One attack or table, by what is counted. */
export type Measured = Pick<Measure, 'name' | 'counts'>;

/** Everything that was measured of a model in any of them, attacks first. */
export function measuredOf(experiments: readonly (Experiment | undefined)[], model: string): Measured[] {
  const found = new Map<string, Measured>();
  for (const { name, counts, models } of experiments.flatMap((each) => each?.measures ?? []))
    if (models[model]) found.set(`${counts} ${name}`, { name, counts });
  return [...found.values()].sort((a, b) => Number(a.counts === 'correct') - Number(b.counts === 'correct'));
}

export function shareOf(
  experiment: Experiment | undefined,
  { name, counts }: Measured,
  model: string,
): Share | undefined {
  return experiment?.measures.find((each) => each.name === name && each.counts === counts)?.models[model];
}

/** Everything that was measured of a model, as the daemon tells it. */
export function measuresOf(experiment: Experiment | undefined, model: string): Measures {
  return measuredOf([experiment], model).flatMap((measured) => {
    const found = shareOf(experiment, measured, model);
    if (!found) return [];
    const { estimate, low, high, n, incoherent = null } = found;
    return [{ name: measured.name, counts: measured.counts, estimate, low, high, n, incoherent }];
  });
}

export function withoutSeed(cell: Cell): Cell {
  return cell.filter(({ name }) => name !== SEED);
}

/** A cell as reports know runs. @param only the model that counts; all if not given */
function recordOf({ recipe, run, models }: Standing, experiment: string, only?: string): RunRecord {
  return {
    directory: run?.directory ?? '',
    recipe,
    experiment,
    models: models
      .filter(({ name }) => only === undefined || name === only)
      .map((model) => ({ ...model, steps: 0, metrics: {}, compute: { seconds: 0 }, answers: [] })),
  };
}
