/** @file What a sweep would run: its cells, their steps, and, where asked, what each setting costs. Submits nothing. */
import { recipeOfArm, type Recipe } from '../../recipes/index.js';
import { cellText, withoutSeed, type Plan, type Planned } from '../../sweeps/index.js';
import { settled } from '../run/settled.js';
import type { Costs } from '../run/messages.js';
import { tableOf } from '../run/summary.js';
import { megabytes, triedCosts } from '../run/tried-costs.js';

interface Asked {
  readonly json?: boolean;
  /** Tries steps here: one cell for all seeds of a setting. */
  readonly costs?: boolean;
}

/** What a cell takes in all its arms. */
interface Estimate {
  readonly steps: number;
  readonly residentBytes?: number;
  readonly seconds?: number;
}

export async function printDryRun({ name, cells }: Plan, { json = false, costs }: Asked): Promise<void> {
  const tried = new Map<string, readonly Costs[]>();
  const estimates: Estimate[] = [];
  for (const planned of cells)
    estimates.push(estimateOf(planned.recipe, costs ? await costsOf(planned, tried, json) : []));
  if (json) {
    const all = cells.map(({ cell, digest }, at) => ({
      settings: Object.fromEntries(cell.map((setting) => [setting.name, setting.value])),
      digest,
      ...estimates[at],
    }));
    process.stdout.write(`${JSON.stringify({ name, cells: all })}\n`);
    return;
  }
  const head = ['cell', 'steps', ...(costs ? ['peak memory', 'training'] : [])];
  const rows = cells.map(({ cell }, at) => {
    const { steps, residentBytes = 0, seconds = 0 } = estimates[at] as Estimate;
    return [
      cellText(cell),
      String(steps),
      ...(costs ? [megabytes(residentBytes), `${seconds.toFixed(0)} s`] : []),
    ];
  });
  const total = estimates.reduce((sum, { steps }) => sum + steps, 0);
  process.stdout.write(
    `${tableOf([head, ...rows])}\n${cells.length} runs, ${total} steps; nothing was submitted\n`,
  );
}

async function costsOf(
  { cell, recipe }: Planned,
  tried: Map<string, readonly Costs[]>,
  quiet: boolean,
): Promise<readonly Costs[]> {
  const key = cellText(withoutSeed(cell));
  const known = tried.get(key) ?? (await triedCosts(await settled(recipe), quiet));
  tried.set(key, known);
  return known;
}

function estimateOf(recipe: Recipe, costs: readonly Costs[]): Estimate {
  const arms = Object.keys(recipe.arms);
  const steps = arms.reduce((sum, arm) => sum + recipeOfArm(recipe, arm).steps, 0);
  if (costs.length === 0) return { steps };
  return {
    steps,
    residentBytes: Math.max(...costs.map((each) => each.residentBytes)),
    seconds: costs.reduce((sum, each) => sum + each.compileSeconds + each.secondsPerStep * each.steps, 0),
  };
}
