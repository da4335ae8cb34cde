/** @file What a recipe's model is: a folder, random weights, or what an arm of another run ended with. Loads it; runs nothing else. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { loadTokenizer } from '../../datasets/index.js';
import type { HalfTensor, HostTensor, Precision } from '../../engine/index.js';
import {
  initialParameters,
  loadModel,
  mergedParameters,
  parseModelConfig,
  readAdapters,
  type Model,
} from '../../engine/models/index.js';
import { complain } from '../../foundation/index.js';
import { recipeOfArm, type Recipe } from '../../recipes/index.js';
import { METRICS, readRecipe, RECIPE } from './directory.js';
import { engineOf, type Running } from './engine-of.js';
import { localFolder } from '../fetch.js';
import { weightsDirectory } from './places.js';

/** What of a recipe says what its model is. */
export type Beginning = Running & Pick<Recipe, 'name' | 'seed' | 'model'>;

/** Weights on this side of an engine, and the folder that holds the tokenizer. */
export type StartingModel<T = HostTensor> = Pick<Model<T>, 'config' | 'parameters' | 'directory'>;

type OfRun = Extract<Recipe['model'], { readonly kind: 'run' }>;

/**
 * The model that a recipe begins with; paths are absolute. Adapters of an arm are added to the weights in memory, by the
 * executor and threads that the recipe names: the same bits each time.
 * @throws RUN_MISSING, RUN_ARM_MISSING, RUN_ARM_UNFINISHED, RUN_CIRCULAR, and what reading models and adapters throws
 */
export async function startingModel(beginning: Beginning): Promise<StartingModel> {
  return (await begun(beginning, 'float32')) as StartingModel;
}

/**
 * The same for an engine that keeps frozen matrices in what the recipe says: read as that from a folder. Random weights and
 * sums with adapters are made as float32.
 */
export async function frozenModel(beginning: Beginning): Promise<StartingModel<HostTensor | HalfTensor>> {
  const { precision = 'float32', weights = precision } = beginning;
  return begun(beginning, weights);
}

type Begun = StartingModel<HostTensor | HalfTensor>;

async function begun(
  beginning: Beginning,
  matrices: Precision,
  through: readonly string[] = [],
): Promise<Begun> {
  const { model, seed, name } = beginning;
  if (model.kind === 'run') return ofRun(model, beginning, matrices, through);
  if (model.kind === 'random') {
    const tokenizer = await localFolder(model.tokenizer);
    const config = await randomConfig({ ...model, tokenizer }, `recipe ${name}, model.config`);
    return { config, parameters: initialParameters(config, seed), directory: tokenizer };
  }
  const arm = armIn(model.path);
  if (arm) return ofRun(arm, beginning, matrices, through);
  return loadModel(await localFolder(model.path), matrices);
}

async function ofRun(
  { path, arm }: OfRun,
  running: Running,
  matrices: Precision,
  through: readonly string[],
): Promise<Begun> {
  const { out, recipe } = await readRecipe(path);
  requireArm(out, recipe, arm);
  if (arm === 'base')
    return recipe.prepare
      ? loadModel(join(out, 'prepare', 'model'), matrices)
      : begun({ ...recipe, ...how(running) }, matrices, further(out, through));
  const own = recipeOfArm(recipe, arm);
  const weights = weightsDirectory(own, join(out, arm));
  if (own.defend.train.kind === 'full') return loadModel(weights, matrices);
  const base = (await ofRun(
    { kind: 'run', path, arm: 'base' },
    running,
    'float32',
    through,
  )) as StartingModel;
  const engine = await engineOf(running);
  try {
    const adapters = await readAdapters(weights, base.config);
    return { ...base, parameters: await mergedParameters(engine, base.config, base.parameters, adapters) };
  } finally {
    await engine.dispose();
  }
}

async function randomConfig(
  { tokenizer: directory, config }: Extract<Recipe['model'], { readonly kind: 'random' }>,
  owner: string,
): Promise<Model['config']> {
  const tokenizer = await loadTokenizer(directory);
  const special = {
    bos_token_id: tokenizer.bos?.id,
    eos_token_id: tokenizer.eos?.id,
    pad_token_id: tokenizer.pad?.id,
  };
  return parseModelConfig({ vocab_size: tokenizer.size, ...special, ...config }, owner);
}

function how({ executor, device, threads }: Running): Running {
  return { executor, threads, ...(device !== undefined && { device }) };
}

/** `RUN/ARM`, where that is the folder of an arm and no model itself. */
function armIn(path: string): OfRun | undefined {
  const run = dirname(resolve(path));
  const inRun = [RECIPE, METRICS].every((file) => existsSync(join(run, file)));
  if (!inRun || existsSync(join(path, 'config.json'))) return undefined;
  return { kind: 'run', path: run, arm: basename(resolve(path)) };
}

/** @throws RUN_CIRCULAR */
function further(out: string, through: readonly string[]): readonly string[] {
  if (through.includes(out))
    complain({
      code: 'RUN_CIRCULAR',
      owner: `run ${out}`,
      expected: 'a model that was there before the run',
      got: 'the model of a run that begins with this one',
      hint: 'name another run, or a model folder',
    });
  return [...through, out];
}

/** @throws RUN_ARM_MISSING, RUN_ARM_UNFINISHED where an arm of a run, or its `base`, is not there to begin with */
export function requireArm(out: string, { arms, prepare }: Recipe, arm: string): void {
  const names = Object.keys(arms);
  if (arm !== 'base' && !names.includes(arm)) refuseArm(out, arm, names);
  if (arm === 'base' && !prepare) return;
  const folder = arm === 'base' ? 'prepare' : arm;
  if (!existsSync(join(out, folder, 'evaluation.json')))
    complain({
      code: 'RUN_ARM_UNFINISHED',
      owner: `run ${out}, arm ${arm}`,
      expected: 'one that was trained and evaluated to its end',
      got: 'one that was not',
      hint: `go on with it first: latstream train --resume ${out}`,
    });
}

function refuseArm(out: string, arm: string, arms: readonly string[]): never {
  return complain({
    code: 'RUN_ARM_MISSING',
    owner: `run ${out}`,
    expected: `base or one of its arms: ${arms.join(', ')}`,
    got: arm,
    hint: 'name one of these',
  });
}
