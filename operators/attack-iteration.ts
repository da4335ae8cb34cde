/** @file One iteration of the gradient attack as a tensor program, and the objective it lowers. */
import type { PackedBatch } from '../datasets/index.js';
import {
  adamwUpdate,
  mergeAdapters,
  ops,
  projectToBall,
  tokenNorms,
  valueAndGradients,
  worthMerging,
  type AdamWScalars,
  type Definition,
  type Engine,
  type Tensor,
  type Value,
} from '../engine/index.js';
import { comparisonOf } from './comparison.js';
import { coefficientsOf, type AttackConfig, type Coefficients } from './config.js';
import { feedOf, type BatchFeed } from './feed.js';
import { programName, type Model, type ModelWeights } from './model.js';
import { decoderWeights, pairLosses, weighted, type Comparison } from './pair-losses.js';
import { ATTACK_AIMS, PAIR_LOSSES, type PairLoss } from './pair-objectives.js';
import type { AttackTrace, PerSite, PerturbationState } from './perturbation.js';
import { uploadScalars } from './scalars.js';

/** What all iterations of an attack share. */
export type AttackFixed<T = Tensor> = {
  readonly weights: ModelWeights<T>;
  readonly batch: BatchFeed<T>;
  /** 1 for vectors that some token receives, else 0. float32 [B, P] */
  readonly attacked: T;
  readonly coefficients: Readonly<Record<string, T>>;
  readonly comparison: Comparison<T>;
  readonly epsilon: T;
};

/** What changes from iteration to iteration. */
export type AttackVarying<T = Tensor> = {
  readonly state: PerturbationState<T>;
  readonly adam: AdamWScalars<T>;
};

/** The next state, the iteration's figures as one vector ({@link readFigures}), and gradients where they are kept. */
export type AttackResult<T = Tensor> = {
  readonly state: PerturbationState<T>;
  readonly figures: T;
  readonly gradients: PerSite<T>;
};

/** The coefficients of an attack's losses. @throws LOSS_UNKNOWN, LOSS_NONE */
export function attackCoefficients(config: AttackConfig): Coefficients<PairLoss> {
  return coefficientsOf('attack', { ...config.losses }, PAIR_LOSSES, config.normalizeCoefficients);
}

/** Gradient of the losses for δ at all sites, AdamW on δ (decay included, as published), projection: one program. */
export function attackIteration(
  model: Model,
  sites: readonly string[],
  losses: readonly PairLoss[],
  keepGradients: boolean,
): Definition<AttackFixed & AttackVarying, AttackResult> {
  return {
    name: programName('attack', model, [sites, losses, keepGradients]),
    compute: ({ weights, batch, attacked, state, coefficients, comparison, epsilon, adam }) => {
      const fixed = fixedWeights(model, weights);
      const { loss, aux, gradients } = valueAndGradients((delta) => {
        const parts = pairLosses(model, fixed, batch, delta, ATTACK_AIMS, losses, comparison);
        return { loss: weighted(parts, coefficients), aux: parts };
      }, state.delta);
      const next = adamwUpdate(state.delta, gradients, { first: state.m, second: state.v }, adam);
      const delta = Object.fromEntries(
        sites.map((site) => [site, projectToBall(next.parameters[site] as Tensor, epsilon)]),
      );
      const reach = sites.map((site) => ops.sum(tokenNorms(next.parameters[site] as Tensor)));
      const norms = sites.flatMap((site) => normFigures(delta[site] as Tensor, attacked));
      return {
        state: { delta, m: next.moments.first, v: next.moments.second },
        gradients: keepGradients ? gradients : {},
        figures: ops.stack([
          loss,
          ...losses.map((name) => aux[name] as Tensor),
          ...norms,
          reach.reduce(ops.add),
        ]),
      };
    },
  };
}

/** Weights of an inner loop, in which they stay as they are: adapters merged where that saves more than it holds. */
function fixedWeights(model: Model, weights: ModelWeights<Tensor>): ModelWeights<Tensor> {
  if (!worthMerging(weights.adapters)) return weights;
  return { parameters: mergeAdapters(model.config, decoderWeights(model, weights)), adapters: {} };
}

/** Largest and mean L2 norm over perturbed tokens. */
function normFigures(delta: Tensor, attacked: Tensor): Tensor[] {
  const norms = ops.mul(ops.squeeze(tokenNorms(delta), [2]), attacked);
  return [ops.max(norms), ops.div(ops.sum(norms), ops.maximum(ops.sum(attacked), 1))];
}

/**
 * The sum of all norms before the projection, from an iteration's figures. The projection takes a vector whose norm is
 * infinite to 0, as if nothing had happened: only this figure shows it.
 */
export function readReach(figures: ArrayLike<number>): number {
  return figures[figures.length - 1] as number;
}

/** An iteration's figures by name. */
export function readFigures(
  figures: ArrayLike<number>,
  iteration: number,
  sites: readonly string[],
  losses: readonly string[],
): AttackTrace {
  const parts = Object.fromEntries(losses.map((name, at) => [name, figures[1 + at] as number]));
  const norm = (which: 0 | 1): PerSite<number> =>
    Object.fromEntries(
      sites.map((site, at) => [site, figures[1 + losses.length + 2 * at + which] as number]),
    );
  return {
    iteration,
    loss: figures[0] as number,
    losses: parts,
    norms: norm(0),
    meanNorms: norm(1),
  };
}

/**
 * An attack's objective on a batch, without any update.
 * @param deltas a perturbation, or none for the model as it is.
 * Losses that compare do so with `weights` without adapters.
 */
export async function attackLoss(
  engine: Engine,
  model: Model,
  config: AttackConfig,
  weights: ModelWeights,
  batch: PackedBatch,
  deltas: PerSite<Value> = {},
): Promise<number> {
  const coefficients = attackCoefficients(config);
  const losses = [...coefficients.keys()];
  type Args = Pick<AttackFixed, 'weights' | 'batch' | 'coefficients' | 'comparison'> & {
    readonly deltas: PerSite<Tensor>;
  };
  const definition: Definition<Args> = {
    name: programName('attack-loss', model, [Object.keys(deltas), losses]),
    compute: (args) =>
      weighted(
        pairLosses(model, args.weights, args.batch, args.deltas, ATTACK_AIMS, losses, args.comparison),
        args.coefficients,
      ),
  };
  const feed = feedOf(engine, batch);
  const aimed = { aims: ATTACK_AIMS, names: losses, objectives: config.objectives };
  const loss = (await engine.run(definition, {
    weights,
    batch: feed,
    comparison: await comparisonOf(engine, model, weights.parameters, batch, feed, aimed),
    coefficients: uploadScalars(engine, Object.fromEntries(coefficients)),
    deltas,
  })) as Value;
  return (await engine.download(loss)).data[0] as number;
}
