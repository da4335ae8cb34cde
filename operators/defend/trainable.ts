/** @file Which weights a defence trains: adapters, or parameters of chosen layers. Knows nothing about losses. */
import type { Engine, Value } from '../../engine/index.js';
import { adapterScale, blockPath, initialAdapters, isHalf } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import type { TrainConfig } from '../config.js';
import type { DefencePlan, SplitWeights } from './plan.js';
import type { Model, ModelWeights } from '../model.js';

/** The weights in two parts, and how programs put them together. */
export interface Trainable {
  readonly plan: Omit<DefencePlan, 'layer'>;
  readonly weights: SplitWeights<Value>;
}

/**
 * Divides weights into trained and frozen ones. Where adapters are trained and there are none, fresh ones are made
 * (a function of the seed); where parameters are trained, adapters stay as they are.
 * @throws TRAIN_LAYER_UNKNOWN, TRAIN_MODULE_UNKNOWN, PRECISION_UNSUPPORTED
 */
export function trainable(
  engine: Engine,
  model: Model,
  train: TrainConfig,
  weights: ModelWeights,
  seed: number,
): Trainable {
  if (train.kind === 'adapters') {
    const given = Object.keys(weights.adapters).length > 0;
    const adapters = given ? weights.adapters : freshAdapters(engine, model, train, seed);
    return {
      weights: { trained: adapters, frozen: weights.parameters },
      plan: {
        model: { ...model, adapterScale: adapterScale(train) },
        trains: 'adapters',
        join: ({ trained, frozen }) => ({ parameters: frozen, adapters: trained }),
      },
    };
  }
  const chosen = chosenParameters(model, train, Object.keys(weights.parameters));
  const adapters = Object.keys(weights.adapters);
  const trained = pick(weights.parameters, (name) => chosen.has(name));
  requireFloat32(trained);
  return {
    weights: {
      trained,
      frozen: { ...pick(weights.parameters, (name) => !chosen.has(name)), ...weights.adapters },
    },
    plan: {
      model,
      trains: [...chosen],
      join: ({ trained, frozen }) => ({
        parameters: { ...pick(frozen, (name) => !adapters.includes(name)), ...trained },
        adapters: pick(frozen, (name) => adapters.includes(name)),
      }),
    },
  };
}

/** Fresh adapters, which change nothing yet. */
export function freshAdapters(
  engine: Engine,
  model: Model,
  train: Extract<TrainConfig, { kind: 'adapters' }>,
  seed: number,
): Record<string, Value> {
  const made = Object.entries(initialAdapters(model.config, train, seed));
  return Object.fromEntries(made.map(([name, tensor]) => [name, engine.upload(tensor)]));
}

/** An update is far smaller than a weight: in 16 bits most would be lost. */
function requireFloat32(trained: Readonly<Record<string, Value>>): void {
  const [name, value] = Object.entries(trained).find(([, { dtype }]) => isHalf(dtype)) ?? [];
  if (name !== undefined)
    complain({
      code: 'PRECISION_UNSUPPORTED',
      owner: `defend.train, ${name}`,
      expected: 'float32 for weights that are trained themselves',
      got: String(value?.dtype),
      hint: 'set weights: float32, or train adapters',
    });
}

function chosenParameters(
  model: Model,
  { layers, modules }: Extract<TrainConfig, { kind: 'full' }>,
  names: readonly string[],
): ReadonlySet<string> {
  const stranger = modules?.find((module) => !names.some((name) => name.includes(`.${module}.`)));
  if (stranger !== undefined)
    complain({
      code: 'TRAIN_MODULE_UNKNOWN',
      owner: 'defend.train.modules',
      expected: 'modules that this model has, such as down_proj',
      got: stranger,
      hint: 'correct the name',
    });
  const ofModules = names.filter(
    (name) => !modules || modules.some((module) => name.includes(`.${module}.`)),
  );
  if (layers === 'all') return new Set(ofModules);
  const unknown = layers.find(
    (layer) => !Number.isInteger(layer) || layer < 0 || layer >= model.config.layers,
  );
  if (unknown !== undefined || layers.length === 0)
    complain({
      code: 'TRAIN_LAYER_UNKNOWN',
      owner: 'defend.train.layers',
      expected: `layers from 0 to ${model.config.layers - 1}, or all`,
      got: unknown === undefined ? 'none' : `${unknown}`,
      hint: 'name layers that this model has',
    });
  const blocks = layers.map((layer) => `${blockPath(model.config.modules, layer)}.`);
  return new Set(ofModules.filter((name) => blocks.some((block) => name.startsWith(block))));
}

function pick<T>(record: Readonly<Record<string, T>>, keep: (name: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => keep(name)));
}
