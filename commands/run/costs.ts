/** @file What a run would cost: parameters counted, and a few steps of every arm tried and thrown away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isHalf, sizeOf } from '../../engine/index.js';
import { NO_QUESTIONS, run } from '../../operators/index.js';
import { recipeOfArm, recipeOfPreparation, type Recipe } from '../../recipes/index.js';
import { createArm, type Arm } from './arm.js';
import type { Costs, JobHost, JobSpec } from './messages.js';
import { withoutProxy } from './proxy.js';
import { rehearse } from './rehearse.js';
import { openRecipe, type Stage } from './stage.js';

/** Steps that are tried: the first compiles, the others are timed. */
const TRIED = 4;
const [FLOAT_BYTES, HALF_BYTES] = [4, 2];

/** Tries every arm of a recipe; whatever is written goes to a temporary directory and away again. */
export async function measureCosts({ recipe, out }: JobSpec, host: JobHost): Promise<Costs[]> {
  const stage = await openRecipe(recipe, out);
  await rehearse(recipe, stage);
  const temporary = await mkdtemp(join(tmpdir(), 'latstream-dry-'));
  try {
    const costs: Costs[] = [];
    const preparation = recipeOfPreparation(recipe);
    for (const name of [...(preparation ? ['prepare'] : []), ...Object.keys(recipe.arms)]) {
      const own = name === 'prepare' && preparation ? preparation : withoutProxy(recipeOfArm(recipe, name));
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
  const arm = createArm(recipe, stage, NO_QUESTIONS, directory, {
    ...host,
    note: () => undefined,
    recorded: () => Promise.resolve(),
    record: (step, kind, values) => {
      if (kind === 'throughput') seconds.push(values['secondsPerStep'] ?? 0);
      residentBytes = Math.max(residentBytes, process.memoryUsage.rss());
      return { run: name, sequence: 0, time: 0, step, kind, values };
    },
  });
  await run({ ...arm.parts, steps: Math.min(TRIED, recipe.steps), evaluate: null });
  const trained = await trainedElements(arm);
  const values = Object.values(stage.parameters);
  const frozenBytes = values.reduce(
    (sum, { dtype, shape }) => sum + sizeOf(shape) * (isHalf(dtype) ? HALF_BYTES : FLOAT_BYTES),
    0,
  );
  return {
    arm: name,
    parameters: values.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    trainedParameters: trained,
    residentBytes,
    weightBytes: frozenBytes + FLOAT_BYTES * trained,
    optimizerBytes: FLOAT_BYTES * 2 * trained,
    ...timesOf(seconds),
    steps: recipe.steps,
  };
}

/** The first step compiles; a later one may meet a new shape and compile too, which the median passes over. */
export function timesOf(seconds: readonly number[]): Pick<Costs, 'secondsPerStep' | 'compileSeconds'> {
  const [first = 0, ...rest] = seconds;
  const sorted = (rest.length > 0 ? rest : [first]).sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const secondsPerStep = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { secondsPerStep, compileSeconds: Math.max(0, first - secondsPerStep) };
}

async function trainedElements({ defender }: Arm): Promise<number> {
  const { tensors } = await defender.save();
  return Object.entries(tensors)
    .filter(([name]) => name.startsWith('trained/'))
    .reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
}
