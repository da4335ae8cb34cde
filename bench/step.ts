/** @file What a benchmark times: one training step (attack, then defence), or one loss and its gradient. */
import {
  createEngine,
  onnxruntimeExecutor,
  ops,
  valueAndGradients,
  float32,
  int32,
  siteWidth,
  type Definition,
  type Engine,
  type EngineStats,
  type Executor,
  type Tensor,
  type Value,
} from '../engine/index.js';
import { draws } from '../foundation/index.js';
import {
  createAttack,
  createDefender,
  type Attack,
  type AttackConfig,
  type DefendConfig,
  type Defender,
} from '../operators/index.js';
import { pairLosses } from '../operators/objectives/pair-losses.js';
import { ATTACK_AIMS } from '../operators/objectives/pair-objectives.js';
import { modelConfig, randomBatches, randomTensors, randomTokens } from './random.js';
import { siteOf, type Shapes } from './shapes.js';

/** Something that can be timed again and again. */
export interface Workload {
  /** Does the work once. */
  step(): Promise<void>;
  stats(): EngineStats;
  dispose(): Promise<void>;
}

const ADAMW = { betas: [0.9, 0.999], adamEpsilon: 1e-8, weightDecay: 0.01 } as const;

export interface WorkloadOptions {
  /** ONNX Runtime's CPU provider where it is left out. */
  readonly executor?: Executor;
  /** Draws new rows for every training step, as data does. */
  readonly fresh?: boolean;
}

/** Builds model, data and operators; the first step compiles. */
export function workload(shapes: Shapes, { executor, fresh = false }: WorkloadOptions = {}): Workload {
  const engine = createEngine(executor ?? onnxruntimeExecutor(shapes), { weights: shapes.weights });
  const step =
    shapes.kind === 'gradient' ? gradientStep(engine, shapes) : trainingStep(engine, shapes, fresh);
  return { step, stats: () => engine.stats(), dispose: () => engine.dispose() };
}

/** Settings as in the published configurations; no number here changes the amount of work. */
function settings(shapes: Shapes): { readonly attack: AttackConfig; readonly defend: DefendConfig } {
  return {
    attack: {
      ...ADAMW,
      sites: shapes.attack_layers.map(siteOf),
      segments: 'prompt',
      epsilon: 6,
      iterations: shapes.attack_iterations,
      learningRate: 5e-2,
      losses: { toward: 0.5, away: 0.5 },
    },
    defend: {
      ...ADAMW,
      iterations: shapes.defence_iterations,
      microbatches: 1,
      losses: { toward: 1 / 3, away: 1 / 3, sft: 1 / 3 },
      learningRate: 2e-5,
      schedule: { kind: 'constant', warmup: 0 },
      clipNorm: 1,
      train: {
        kind: 'adapters',
        rank: shapes.rank,
        alpha: 2 * shapes.rank,
        projections: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj'],
      },
    },
  };
}

/** The two operators of a training step, on random weights. */
export function trainingStages(
  engine: Engine,
  shapes: Shapes,
): { readonly attack: Attack; readonly defender: Defender } {
  const model = { config: modelConfig(shapes) };
  const { attack, defend } = settings(shapes);
  const weights = { parameters: uploadAll(engine, shapes), adapters: {} };
  const options = { weights, updates: 1_000_000, seed: 0 };
  const defender = createDefender(engine, model, defend, options);
  return { attack: createAttack(engine, defender.model, attack), defender };
}

function trainingStep(engine: Engine, shapes: Shapes, fresh: boolean): () => Promise<void> {
  const { attack, defender } = trainingStages(engine, shapes);
  const same = randomBatches(shapes);
  let step = 0;
  return async () => {
    const { pairs, benign } = fresh ? randomBatches(shapes, step) : same;
    const perturbation = await attack(defender.weights(), pairs, { step: step++, seed: 0 });
    await defender.step([{ pairs, deltas: perturbation.deltas, benign }]);
    perturbation.release();
  };
}

function uploadAll(engine: Engine, shapes: Shapes): Record<string, Value> {
  const values: Record<string, Value> = {};
  // One by one: as float32, there is never more than one of those that are kept in 16 bits.
  for (const [name, tensor] of randomTensors(modelConfig(shapes)))
    Object.assign(values, engine.uploadWeights({ [name]: tensor }));
  return values;
}

type GradientArgs<T = Tensor> = {
  readonly parameters: Readonly<Record<string, T>>;
  readonly batch: Readonly<Record<'tokens' | 'positions' | 'segments' | 'slots' | 'rowWeight', T>> & {
    readonly labels: Readonly<Record<string, Readonly<Record<'index' | 'tokens' | 'weights', T>>>>;
  };
  readonly deltas: Readonly<Record<string, T>>;
};

/** Toward alone, every token labelled and perturbed: nothing can be left out, whatever the structure. */
function gradientStep(engine: Engine, shapes: Shapes): () => Promise<void> {
  const model = { config: modelConfig(shapes) };
  const parameters = uploadAll(engine, shapes);
  const batch = everyTokenLabelled(engine, shapes);
  const perVector = [shapes.batch, shapes.prompt + shapes.completion] as const;
  const deltas = Object.fromEntries(
    shapes.attack_layers.map(siteOf).map((site) => {
      return [site, engine.upload(float32([...perVector, siteWidth(model.config, site)]))] as const;
    }),
  );
  const definition: Definition<GradientArgs> = {
    name: 'bench-gradient',
    compute: (args) => {
      const weights = { parameters: args.parameters, adapters: {} };
      const { loss, gradients } = valueAndGradients((delta) => {
        const { toward } = pairLosses(model, weights, args.batch, delta, ATTACK_AIMS, ['toward']);
        return { loss: toward as Tensor, aux: {} };
      }, args.deltas);
      return { loss: ops.reshape(loss, [1]), gradients };
    },
  };
  return async () => {
    await engine.run(definition, { parameters, batch, deltas });
  };
}

function everyTokenLabelled(engine: Engine, shapes: Shapes): GradientArgs<Value>['batch'] {
  const length = shapes.prompt + shapes.completion;
  const grid = [shapes.batch, length];
  const tokens = randomTokens(draws(0, 'bench-rows'), shapes.batch * length, shapes.vocab);
  const columns = tokens.map((_, at) => at % length);
  const predicting = tokens.map((_, at) => at).filter((at) => at % length < length - 1);
  const labels = {
    index: engine.upload(int32([predicting.length], predicting)),
    tokens: engine.upload(
      int32(
        [predicting.length],
        predicting.map((at) => tokens[at + 1] as number),
      ),
    ),
    weights: engine.upload(
      float32(
        [predicting.length],
        predicting.map(() => 1 / predicting.length),
      ),
    ),
  };
  return {
    tokens: engine.upload(int32(grid, tokens)),
    positions: engine.upload(int32(grid, columns)),
    segments: engine.upload(
      int32(
        grid,
        columns.map(() => 1),
      ),
    ),
    slots: engine.upload(int32(grid, columns)),
    rowWeight: engine.upload(float32([], [1 / shapes.batch])),
    labels: { adversarial: labels },
  };
}
