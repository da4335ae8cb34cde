/** @file One iteration of the gradient attack as a tensor program, and the figures of it. */
import {
  groupNorms,
  mergeAdapters,
  ops,
  tokenNorms,
  valueAndGradients,
  worthMerging,
  type Definition,
  type Named,
  type Tensor,
} from '../../engine/index.js';
import {
  boundedVectors,
  holdsVectors,
  inActivationUnits,
  projectParameters,
  vectorsAt,
  type Space,
} from './adversary.js';
import type { AttackPlan } from './plan.js';
import { clipRows, stepped, type StepScalars } from './step.js';
import type { BatchFeed } from '../feed.js';
import { programName, type Model, type ModelWeights } from '../model.js';
import { decoderWeights, pairLosses, weighted, type Comparison } from '../objectives/pair-losses.js';
import { ATTACK_AIMS } from '../objectives/pair-objectives.js';
import type { AttackTrace, PerSite, PerturbationState } from '../perturbation.js';

/** What all iterations of an attack share. */
export type AttackFixed<T = Tensor> = {
  readonly weights: ModelWeights<T>;
  readonly batch: BatchFeed<T>;
  /** 1 for vectors that some token receives, else 0. float32 [B, P] */
  readonly attacked: T;
  readonly coefficients: Readonly<Record<string, T>>;
  readonly comparison: Comparison<T>;
  readonly epsilon: T;
  readonly space: Space<T>;
  /** Penalty and clipping, where they are asked for: their numbers, and each row's share of the labels' weights. [B] */
  readonly limits: { readonly share?: T; readonly l2?: T; readonly clip?: T };
};

/** What changes from iteration to iteration. */
export type AttackVarying<T = Tensor> = {
  readonly state: PerturbationState<T>;
  readonly scalars: StepScalars<T>;
  /** On the loss while it is differentiated, where the engine asks for one. */
  readonly scale?: T;
};

/** The next state, the iteration's figures as one vector ({@link readFigures}), and gradients where they are kept. */
export type AttackResult<T = Tensor> = {
  readonly state: PerturbationState<T>;
  readonly figures: T;
  readonly gradients: Readonly<Record<string, T>>;
};

/** Gradient of the losses for δ at all sites, a step (AdamW's decay included, as published), projection: one program. */
export function attackIteration(
  model: Model,
  plan: AttackPlan,
  keepGradients: boolean,
): Definition<AttackFixed & AttackVarying, AttackResult> {
  const { sites, losses, adversary, step } = plan;
  return {
    name: programName('attack', model, [plan, keepGradients]),
    compute: ({ weights, batch, attacked, state, coefficients, epsilon, space, limits, ...args }) => {
      const fixed = fixedWeights(model, weights);
      const bounded = (site: string, parameters: Named): Tensor =>
        boundedVectors(adversary, site, parameters, space, attacked, epsilon);
      const { loss, aux, gradients } = valueAndGradients(
        (parameters) => {
          const vectors = Object.fromEntries(sites.map((site) => [site, bounded(site, parameters)]));
          const deltas = Object.fromEntries(
            sites.map((site) => [site, inActivationUnits(site, vectors[site] as Tensor, space)]),
          );
          const parts = pairLosses(model, fixed, batch, deltas, ATTACK_AIMS, losses, args.comparison);
          const objective = weighted(parts, coefficients);
          return { loss: penalized(objective, Object.values(vectors), limits), aux: parts };
        },
        state.parameters,
        args.scale,
      );
      const { clip, share } = limits;
      const clipped = clip && share ? clipRows(gradients, clip, share) : gradients;
      const next = stepped(
        state,
        clipped,
        args.scalars,
        step,
        holdsVectors(adversary) ? adversary.per : 'example',
      );
      const parameters = Object.fromEntries(
        Object.entries(next.parameters).map(([name, parameter]) => [
          name,
          projectParameters(adversary, parameter, epsilon),
        ]),
      );
      const reach = sites.map((site) =>
        ops.sum(tokenNorms(vectorsAt(adversary, site, next.parameters, space, attacked))),
      );
      return {
        state: { ...next, parameters },
        gradients: keepGradients ? gradients : {},
        figures: ops.stack([
          loss,
          ...losses.map((name) => aux[name] as Tensor),
          ...sites.flatMap((site) => siteFigures(plan, site, bounded(site, parameters), space, attacked)),
          reach.reduce(ops.add),
        ]),
      };
    },
  };
}

/** With ½·l2·‖δ‖² for every row, weighted like the row's labels: parts of a batch add up to it. */
function penalized(loss: Tensor, vectors: readonly Tensor[], { l2, share }: AttackFixed['limits']): Tensor {
  if (!l2 || !share) return loss;
  const squares_B = vectors.map((each) => ops.sum(ops.square(each), [1, 2])).reduce(ops.add);
  return ops.add(loss, ops.mul(ops.mul(l2, 0.5), ops.sum(ops.mul(share, squares_B))));
}

/** Weights of an inner loop, in which they stay as they are: adapters merged where that saves more than it holds. */
function fixedWeights(model: Model, weights: ModelWeights<Tensor>): ModelWeights<Tensor> {
  if (!worthMerging(weights.adapters)) return weights;
  return { parameters: mergeAdapters(model.config, decoderWeights(model, weights)), adapters: {} };
}

/**
 * Largest and mean L2 norm over perturbed tokens in activation units; where ε bounds something else, the largest of that too.
 * @param vectors_BPD that ε bounds, in its units.
 */
export function siteFigures(
  plan: AttackPlan,
  site: string,
  vectors_BPD: Tensor,
  space: Space,
  attacked: Tensor,
): Tensor[] {
  const delta = inActivationUnits(site, vectors_BPD, space);
  const norms = ops.mul(ops.squeeze(tokenNorms(delta), [2]), attacked);
  const figures = [ops.max(norms), ops.div(ops.sum(norms), ops.maximum(ops.sum(attacked), 1))];
  if (plan.plain) return figures;
  return [...figures, ops.max(groupNorms(vectors_BPD, plan.adversary.per))];
}

/**
 * The sum of all norms before the projection, from an iteration's figures. The projection takes a vector whose norm is
 * infinite to 0, as if nothing had happened: only this figure shows it.
 */
export function readReach(figures: ArrayLike<number>): number {
  return figures[figures.length - 1] as number;
}

/** An iteration's figures by name. */
export function readFigures(figures: ArrayLike<number>, iteration: number, plan: AttackPlan): AttackTrace {
  const { sites, losses, plain } = plan;
  const parts = Object.fromEntries(losses.map((name, at) => [name, figures[1 + at] as number]));
  const each = plain ? 2 : 3;
  const figure = (which: 0 | 1 | 2): PerSite<number> =>
    Object.fromEntries(
      sites.map((site, at) => [site, figures[1 + losses.length + each * at + which] as number]),
    );
  return {
    iteration,
    loss: figures[0] as number,
    losses: parts,
    norms: figure(0),
    meanNorms: figure(1),
    ...(!plain && { bounded: figure(2) }),
  };
}
