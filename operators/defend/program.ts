/** @file The tensor programs of a defence step: losses and gradients of a part of a batch, and the update. */
import {
  adamwUpdate,
  bucketsFor,
  clipByGlobalNorm,
  ops,
  type AdamWScalars,
  type Buckets,
  type Definition,
  type Named,
  type Tensor,
} from '../../engine/index.js';
import { DELTA, omit, only, partGradients } from './gradients.js';
import type { DefenceLoss } from './losses.js';
import type { DefencePlan, GradientArgs } from './plan.js';
import { programName } from '../model.js';
import type { PerSite } from '../perturbation.js';

/**
 * Gradients for δ that count in the norm that is clipped, by site; none as a rule. The published code leaves the
 * perturbation among the model's parameters, so that its gradients, accumulated since the attack's last iteration,
 * are clipped with the rest; this is needed to compare with it.
 */
export type Leftover<T = Tensor> = { readonly leftover: PerSite<T> };

export type UpdateArgs<T = Tensor> = {
  readonly trained: PerSite<T>;
  readonly first: PerSite<T>;
  readonly second: PerSite<T>;
  readonly adam: AdamWScalars<T>;
  readonly clipNorm: T;
};

/** What an update changes. */
export type TrainedState<T = Tensor> = {
  readonly trained: PerSite<T>;
  readonly first: PerSite<T>;
  readonly second: PerSite<T>;
};

/** What all updates on one batch share, what changes from one to the next, and what each gives. */
export type AtOnceFixed = Omit<GradientArgs, 'trained' | 'scale'>;
export type AtOnceVarying = UpdateArgs & Leftover & Pick<GradientArgs, 'scale'>;
export type AtOnceResult = TrainedState & Leftover & { readonly figures: Tensor };

/**
 * Losses and gradients of one part, and the update, in one program: for batches that are not split.
 * `figures` holds the losses in the order of `losses`, then the gradient's norm.
 */
export function defendAtOnce(
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
): Definition<AtOnceFixed & AtOnceVarying, AtOnceResult> {
  return {
    name: programName('defend', plan.model, [plan.trains, plan.layer, losses]),
    compute: (args) => {
      const sites = Object.keys(args.leftover);
      const buckets = bucketsFor(args.trained);
      const joined = (gradients: Named): Named => ({
        ...buckets.join(omit(gradients, sites)),
        ...only(gradients, sites),
      });
      const { aux, gradients } = partGradients(plan, losses, args, sites, joined);
      const counted: Record<string, Tensor> = { ...gradients };
      for (const site of sites)
        counted[DELTA + site] = ops.add(args.leftover[site] as Tensor, gradients[DELTA + site] as Tensor);
      const clipped = clipByGlobalNorm(counted, args.clipNorm);
      return {
        ...updated(args, buckets, omit(clipped.gradients, sites)),
        leftover: Object.fromEntries(sites.map((site) => [site, clipped.gradients[DELTA + site] as Tensor])),
        figures: ops.stack([...losses.map((name) => aux[name] as Tensor), clipped.norm]),
      };
    },
  };
}

/** Adds the gradients of one part to `sums`. The parts of a batch add up to the gradient of the whole. */
export function accumulateGradients(
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
): Definition<
  GradientArgs & { readonly sums: PerSite<Tensor> },
  { readonly sums: PerSite<Tensor>; readonly figures: Tensor }
> {
  return {
    name: programName('defend-part', plan.model, [plan.trains, plan.layer, losses]),
    compute: (args) => {
      const { aux, gradients } = partGradients(plan, losses, args, null);
      const sums = Object.entries(gradients).map(([name, gradient]) => [
        name,
        ops.add(args.sums[name] as Tensor, gradient),
      ]);
      return {
        sums: Object.fromEntries(sums) as PerSite<Tensor>,
        figures: ops.stack(losses.map((name) => aux[name] as Tensor)),
      };
    },
  };
}

/** Clipping and AdamW on accumulated gradients. `figures` holds the gradient's norm before clipping. */
export function applyGradients(
  plan: DefencePlan,
): Definition<UpdateArgs & { readonly sums: PerSite<Tensor> }, TrainedState & { readonly figures: Tensor }> {
  return {
    name: programName('defend-update', plan.model, [plan.trains]),
    compute: (args) => {
      const buckets = bucketsFor(args.trained);
      const { norm, gradients } = clipByGlobalNorm(buckets.join(args.sums), args.clipNorm);
      return { ...updated(args, buckets, gradients), figures: ops.stack([norm]) };
    },
  };
}

/** @param gradients joined, as the buckets join them. */
function updated(args: UpdateArgs, buckets: Buckets, gradients: Named): TrainedState {
  const moments = { first: buckets.join(args.first), second: buckets.join(args.second) };
  const next = adamwUpdate(buckets.join(args.trained), gradients, moments, args.adam);
  return {
    trained: buckets.part(next.parameters),
    first: buckets.part(next.moments.first),
    second: buckets.part(next.moments.second),
  };
}
