/** @file The tensor programs of a defence step: losses and gradients of a part of a batch, and the update. */
import {
  adamwUpdate,
  bucketsFor,
  clipByGlobalNorm,
  ops,
  valueAndGradients,
  type AdamWScalars,
  type Buckets,
  type Definition,
  type Gradients,
  type Named,
  type Tensor,
} from '../engine/index.js';
import {
  anchorLogits,
  benignLosses,
  pairTerms,
  perOwnValue,
  type DefenceLoss,
  type PartArgs,
} from './defend-losses.js';
import type { BatchFeed } from './feed.js';
import { programName, type Model, type ModelWeights } from './model.js';
import { weighted } from './pair-losses.js';
import { isPairLoss } from './pair-objectives.js';
import type { PerSite } from './perturbation.js';

/** Where the weights are: what is trained (adapters, or parameters), and the rest. */
export type SplitWeights<T = Tensor> = { readonly trained: PerSite<T>; readonly frozen: PerSite<T> };

/** Puts trained and frozen weights together again. */
export type Join = <T>(weights: SplitWeights<T>) => ModelWeights<T>;

export type GradientArgs<T = Tensor> = SplitWeights<T> & {
  readonly part: PartArgs<T>;
  readonly coefficients: Readonly<Record<string, T>>;
};

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

/** Everything static about a defence's programs. */
export interface DefencePlan {
  readonly model: Model;
  readonly join: Join;
  /** Names the trained set in program names. */
  readonly trains: unknown;
}

/** What all updates on one batch share, what changes from one to the next, and what each gives. */
export type AtOnceFixed = Omit<GradientArgs, 'trained'>;
export type AtOnceVarying = UpdateArgs & Leftover;
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
    name: programName('defend', plan.model, [plan.trains, losses]),
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
    name: programName('defend-part', plan.model, [plan.trains, losses]),
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

/** Log-probabilities [N, V] of the base model at the anchors of benign rows. */
export function baseLogProbabilities(
  plan: DefencePlan,
): Definition<{ readonly parameters: PerSite<Tensor>; readonly benign: BatchFeed<Tensor> }> {
  return {
    name: programName('defend-base', plan.model, []),
    compute: ({ parameters, benign }) =>
      ops.logSoftmax(anchorLogits(plan.model, { parameters, adapters: {} }, benign)),
  };
}

/** The divergence from the base model of one part: what the published term is divided by. */
export function divergence(plan: DefencePlan): Definition<Omit<GradientArgs, 'coefficients'>> {
  return {
    name: programName('defend-divergence', plan.model, [plan.trains]),
    compute: (args) => benignLosses(plan.model, plan.join(args), args.part, ['kl'])['kl'] as Tensor,
  };
}

/** Names of perturbations among what is differentiated for. */
const DELTA = 'delta of ';

/**
 * Pair rows first, gradients included, then benign rows: activations of one kind are held at a time.
 * @param sites for which δ is differentiated too, where the part is the whole batch; null where it is not.
 * @param joined joins a kind's gradients: done before they are added up, it is done before the next kind begins.
 */
function partGradients(
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
  args: GradientArgs,
  sites: readonly string[] | null,
  joined: (gradients: Named) => Named = (gradients) => gradients,
): { readonly aux: Named; readonly gradients: Named } {
  const pairs = losses.filter(isPairLoss);
  const benign = losses.filter((name) => !isPairLoss(name));
  const parts = [
    ...(pairs.length > 0 ? [pairGradients(plan, pairs, args, sites ?? [])] : []),
    ...(benign.length > 0 ? [benignGradients(plan, benign, args, sites !== null)] : []),
  ];
  const gradients: Record<string, Tensor> = {};
  for (const part of parts)
    for (const [name, gradient] of Object.entries(joined(part.gradients)))
      gradients[name] = gradients[name] ? ops.add(gradients[name], gradient) : gradient;
  const aux = Object.assign({}, ...parts.map((part) => part.aux)) as Named;
  return { aux: Object.fromEntries(losses.map((name) => [name, aux[name] as Tensor])), gradients };
}

function pairGradients(
  { model, join }: DefencePlan,
  losses: readonly DefenceLoss[],
  { trained, frozen, part, coefficients }: GradientArgs,
  sites: readonly string[],
): Gradients<Named> {
  const watched = Object.fromEntries(sites.map((site) => [DELTA + site, part.deltas[site] as Tensor]));
  return valueAndGradients(
    (inputs) => {
      const weights = join({ trained: omit(inputs, sites), frozen });
      const deltas = Object.keys(part.deltas).map((site) => [
        site,
        inputs[DELTA + site] ?? part.deltas[site],
      ]);
      const perturbed = { ...part, deltas: Object.fromEntries(deltas) as PerSite<Tensor> };
      const aux = pairTerms(model, weights, perturbed, losses);
      return { loss: weighted(aux, coefficients), aux };
    },
    { ...trained, ...watched },
  );
}

function benignGradients(
  { model, join }: DefencePlan,
  losses: readonly DefenceLoss[],
  { trained, frozen, part, coefficients }: GradientArgs,
  whole: boolean,
): Gradients<Named> {
  return valueAndGradients((inputs) => {
    const aux = benignLosses(model, join({ trained: inputs, frozen }), part, losses);
    const terms = whole && aux['kl'] ? { ...aux, kl: perOwnValue(aux['kl']) } : aux;
    return { loss: weighted(terms, coefficients), aux };
  }, trained);
}

function only(named: Named, sites: readonly string[]): Named {
  const found = sites.map((site) => [DELTA + site, named[DELTA + site]] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
}

function omit(named: Named, sites: readonly string[]): Named {
  const dropped = new Set(sites.map((site) => DELTA + site));
  return Object.fromEntries(Object.entries(named).filter(([name]) => !dropped.has(name)));
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
