/**
 * @file What a search has found: vectors from parameters, the strongest of several per row, and δ with its figures. Each a
 * program of its own, run once per search or attack and only where the attack needs it.
 */
import { ops, type Definition, type Engine, type Tensor, type Value } from '../../engine/index.js';
import { boundedVectors, holdsVectors, inActivationUnits, type Space } from './adversary.js';
import { siteFigures, type AttackFixed } from './iteration.js';
import { rowLosses, type LabelRows } from './loss.js';
import type { AttackPlan } from './plan.js';
import { programName, type Model } from '../model.js';
import { pairLosses, weighted } from '../objectives/pair-losses.js';
import { ATTACK_AIMS } from '../objectives/pair-objectives.js';
import type { PerSite } from '../perturbation.js';

type Named<T> = Readonly<Record<string, T>>;
type Fixed = AttackFixed<Value>;

/** Vectors that ε bounds, by site, in its units; and the objective of each row under them. [B] */
export type Found<T = Value> = { readonly vectors: PerSite<T>; readonly losses: T };

/** The vectors that parameters stand for: themselves, unless they are functions. */
export async function vectorsOf(
  engine: Engine,
  model: Model,
  plan: AttackPlan,
  { space, attacked, epsilon }: Fixed,
  parameters: Named<Value>,
): Promise<PerSite<Value>> {
  const { sites, adversary } = plan;
  if (holdsVectors(adversary)) return parameters;
  type Args = Pick<AttackFixed, 'space' | 'attacked' | 'epsilon'> & { readonly parameters: Named<Tensor> };
  const definition: Definition<Args, PerSite<Tensor>> = {
    name: programName('attack-vectors', model, plan),
    compute: (args) =>
      Object.fromEntries(
        sites.map((site) => [
          site,
          boundedVectors(adversary, site, args.parameters, args.space, args.attacked, args.epsilon),
        ]),
      ),
  };
  return engine.run(definition, { space, attacked, epsilon, parameters });
}

/** Row by row, whichever of two gives the lower objective; where they tie, the one that was kept. */
export async function stronger(
  engine: Engine,
  model: Model,
  plan: AttackPlan,
  { weights, batch, coefficients, comparison, space }: Fixed,
  rows: LabelRows<Value>,
  kept: Found,
  fresh: PerSite<Value>,
): Promise<Found> {
  type Args = Pick<AttackFixed, 'weights' | 'batch' | 'coefficients' | 'comparison' | 'space'> & {
    readonly rows: LabelRows;
    readonly kept: Found<Tensor>;
    readonly fresh: PerSite<Tensor>;
  };
  const definition: Definition<Args, Found<Tensor>> = {
    name: programName('attack-stronger', model, plan),
    compute: (args) => {
      const deltas = deltasOf(plan, args.fresh, args.space);
      const losses = rowLosses(model, { ...args, deltas, labelRows: args.rows }, plan.losses);
      const better_B = ops.less(losses, args.kept.losses);
      const better_B11 = ops.reshape(better_B, [-1, 1, 1]);
      return {
        losses: ops.where(better_B, losses, args.kept.losses),
        vectors: Object.fromEntries(
          plan.sites.map((site) => [
            site,
            ops.where(better_B11, args.fresh[site] as Tensor, args.kept.vectors[site] as Tensor),
          ]),
        ),
      };
    },
  };
  return engine.run(definition, {
    weights,
    batch,
    coefficients,
    comparison,
    space: { ...space, activations: {} },
    rows,
    kept,
    fresh,
  });
}

/** δ in activation units. Runs nothing where the vectors are that. */
export async function realised(
  engine: Engine,
  model: Model,
  plan: AttackPlan,
  space: Space<Value>,
  vectors: PerSite<Value>,
): Promise<PerSite<Value>> {
  if (!space.unit && !space.components) return vectors;
  const definition: Definition<{ space: Space; vectors: PerSite<Tensor> }, PerSite<Tensor>> = {
    name: programName('attack-realised', model, plan),
    compute: (args) => deltasOf(plan, args.vectors, args.space),
  };
  return engine.run(definition, { space: { ...space, activations: {} }, vectors });
}

/** The figures of an iteration under given vectors, which stay as they are. */
export async function assessed(
  engine: Engine,
  model: Model,
  plan: AttackPlan,
  { weights, batch, coefficients, comparison, attacked, space }: Fixed,
  vectors: PerSite<Value>,
): Promise<ArrayLike<number>> {
  type Args = Pick<
    AttackFixed,
    'weights' | 'batch' | 'coefficients' | 'comparison' | 'attacked' | 'space'
  > & {
    readonly vectors: PerSite<Tensor>;
  };
  const { sites, losses } = plan;
  const definition: Definition<Args> = {
    name: programName('attack-assessed', model, plan),
    compute: (args) => {
      const deltas = deltasOf(plan, args.vectors, args.space);
      const parts = pairLosses(model, args.weights, args.batch, deltas, ATTACK_AIMS, losses, args.comparison);
      const figures = sites.flatMap((site) =>
        siteFigures(plan, site, args.vectors[site] as Tensor, args.space, args.attacked),
      );
      const total = weighted(parts, args.coefficients);
      return ops.stack([total, ...losses.map((name) => parts[name] as Tensor), ...figures, ops.scalar(0)]);
    },
  };
  const args = {
    weights,
    batch,
    coefficients,
    comparison,
    attacked,
    space: { ...space, activations: {} },
    vectors,
  };
  return (await engine.download((await engine.run(definition, args)) as Value)).data;
}

function deltasOf({ sites }: AttackPlan, vectors: PerSite<Tensor>, space: Space): PerSite<Tensor> {
  return Object.fromEntries(
    sites.map((site) => [site, inActivationUnits(site, vectors[site] as Tensor, space)]),
  );
}
