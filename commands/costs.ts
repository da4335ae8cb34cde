/** @file What a run would cost: parameters counted, and a few steps of every arm tried and thrown away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sizeOf } from '../engine/index.js';
import { run } from '../operators/index.js';
import { recipeOfArm, type Recipe } from '../recipes/index.js';
import { createArm, type Arm } from './arm.js';
import type { JobHost } from './job.js';
import type { Costs, JobSpec } from './messages.js';
import { rehearse } from './rehearse.js';
import { openRecipe, type Stage } from './stage.js';

/** Steps that are tried: the first compiles, the others are timed. */
const TRIED = 3;
const FLOAT_BYTES = 4;

/** Tries every arm of a recipe; whatever is written goes to a temporary directory and away again. */
export async function measureCosts({ recipe, out }: JobSpec, host: JobHost): Promise<Costs[]> {
  const stage = await openRecipe(recipe, out);
  await rehearse(recipe, stage);
  const temporary = await mkdtemp(join(tmpdir(), 'latstream-dry-'));
  try {
    const costs: Costs[] = [];
    for (const name of Object.keys(recipe.arms)) {
      const own = recipeOfArm(recipe, name);
      host.send({ type: 'note', text: `trying ${TRIED} steps of ${name}` });
      costs.push(await measureArm(name, own, stage, join(temporary, name), host));
    }
    return costs;
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await stage.dispose();
  }
}

async function measureArm(
  name: string,
  recipe: Recipe,
  stage: Stage,
  directory: string,
  host: JobHost,
): Promise<Costs> {
  const seconds: number[] = [];
  let residentBytes = 0;
  const arm = createArm(recipe, stage, { harmful: [], benign: [] }, directory, {
    ...host,
    note: () => undefined,
    record: (step, kind, values) => {
      if (kind === 'throughput') seconds.push(values['secondsPerStep'] ?? 0);
      residentBytes = Math.max(residentBytes, process.memoryUsage.rss());
      return { run: name, sequence: 0, time: 0, step, kind, values };
    },
  });
  await run({ ...arm.parts, steps: Math.min(TRIED, recipe.steps), evaluate: null });
  const trained = await trainedElements(arm);
  const parameters = Object.values(stage.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const rest = seconds.slice(1);
  const secondsPerStep = Math.max(...(rest.length > 0 ? rest : seconds));
  return {
    arm: name,
    parameters,
    trainedParameters: trained,
    residentBytes,
    weightBytes: FLOAT_BYTES * (parameters + trained),
    optimizerBytes: FLOAT_BYTES * 2 * trained,
    secondsPerStep,
    compileSeconds: Math.max(0, (seconds[0] ?? 0) - secondsPerStep),
    steps: recipe.steps,
  };
}

async function trainedElements({ defender }: Arm): Promise<number> {
  const { tensors } = await defender.save();
  return Object.entries(tensors)
    .filter(([name]) => name.startsWith('trained/'))
    .reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
}
