/** @file The tensor programs of a defence step: losses and gradients of a part of a batch, and the update. */
import { adamwUpdate, clipByGlobalNorm, hiddenStates, logitsAt, ops, valueAndGradients, type AdamWScalars, type Definition, type Named, type Tensor } from '../engine/index.js';
import type { BatchFeed, BatchTensors, LabelFeed } from './feed.js';
import { kl, logOdds, toward } from './losses.js';
import { programName, type Model, type ModelWeights } from './model.js';
import { decoderWeights, DEFENCE_AIMS, pairLosses, weighted } from './pair-losses.js';
import type { PerSite } from './perturbation.js';

/** The losses that a defence knows, in the order in which it reports them. */
export const DEFENCE_LOSSES = ['toward', 'away', 'sft', 'kl'] as const;
export type DefenceLoss = (typeof DEFENCE_LOSSES)[number];

/** One part of a batch: pair rows under their perturbation (no sites: without one), benign rows without any. */
export type PartArgs<T = Tensor> = {
  readonly pairs: Readonly<Record<string, T>> | BatchFeed<T>;
  readonly deltas: PerSite<T>;
  readonly benign: Readonly<Record<string, T>> | BatchFeed<T>;
  /** Log-probabilities of the base model at the benign rows' anchors, [N, V]; empty without kl. */
  readonly base: Readonly<Record<string, T>>;
};

/** Where the weights are: what is trained (adapters, or parameters), and the rest. */
export type SplitWeights<T = Tensor> = { readonly trained: PerSite<T>; readonly frozen: PerSite<T> };

/** Puts trained and frozen weights together again. */
export type Join = <T>(weights: SplitWeights<T>) => ModelWeights<T>;

export type GradientArgs<T = Tensor> = SplitWeights<T> & {
  readonly part: PartArgs<T>;
  readonly coefficients: Readonly<Record<string, T>>;
};

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

/**
 * Losses and gradients of one part, and the update, in one program: for batches that are not split.
 * `figures` holds the losses in the order of `losses`, then the gradient's norm.
 */
export function defendAtOnce(
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
): Definition<GradientArgs & UpdateArgs, TrainedState & { readonly figures: Tensor }> {
  return {
    name: programName('defend', plan.model, [plan.trains, losses]),
    compute: (args) => {
      const { aux, gradients } = partGradients(plan, losses, args, true);
      const { norm, ...next } = updated(args, gradients);
      return { ...next, figures: ops.stack([...losses.map((name) => aux[name] as Tensor), norm]) };
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
      const { aux, gradients } = partGradients(plan, losses, args, false);
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
): Definition<
  UpdateArgs & { readonly sums: PerSite<Tensor> },
  TrainedState & { readonly figures: Tensor }
> {
  return {
    name: programName('defend-update', plan.model, [plan.trains]),
    compute: (args) => {
      const { norm, ...next } = updated(args, args.sums);
      return { ...next, figures: ops.stack([norm]) };
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
      ops.logSoftmax(benignLogits(plan.model, { parameters, adapters: {} }, benign, ['anchors'])),
  };
}

/** The divergence from the base model of one part: what the published term is divided by. */
export function divergence(plan: DefencePlan): Definition<Omit<GradientArgs, 'coefficients'>> {
  return {
    name: programName('defend-divergence', plan.model, [plan.trains]),
    compute: (args) => benignLosses(plan.model, plan.join(args), args.part, ['kl'])['kl'] as Tensor,
  };
}

function partGradients(
  { model, join }: DefencePlan,
  losses: readonly DefenceLoss[],
  { trained, frozen, part, coefficients }: GradientArgs,
  whole: boolean,
): { readonly aux: Named; readonly gradients: Named } {
  return valueAndGradients((candidates) => {
    const weights = join({ trained: candidates, frozen });
    const found = {
      ...pairTerms(model, weights, part, losses),
      ...benignLosses(model, weights, part, losses),
    };
    const aux = Object.fromEntries(losses.map((name) => [name, found[name] as Tensor]));
    const terms = whole && aux['kl'] ? { ...aux, kl: perOwnValue(aux['kl']) } : aux;
    return { loss: weighted(terms, coefficients), aux };
  }, trained);
}

function pairTerms(
  model: Model,
  weights: ModelWeights<Tensor>,
  part: PartArgs,
  losses: readonly DefenceLoss[],
): Record<string, Tensor> {
  const names = losses.filter((name) => name === 'toward' || name === 'away');
  if (names.length === 0) return {};
  return pairLosses(model, weights, part.pairs as BatchTensors, part.deltas, DEFENCE_AIMS, names);
}

function benignLosses(
  model: Model,
  weights: ModelWeights<Tensor>,
  part: PartArgs,
  losses: readonly DefenceLoss[],
): Record<string, Tensor> {
  const benign = part.benign as BatchTensors;
  const sets = [...(losses.includes('sft') ? ['desired'] : []), ...(losses.includes('kl') ? ['anchors'] : [])];
  if (sets.length === 0) return {};
  const logits = benignLogits(model, weights, benign, sets);
  const [total, vocabulary] = logits.shape as [number, number];
  const found: Record<string, Tensor> = {};
  let start = 0;
  for (const set of sets) {
    const labels = benign.labels[set] as LabelFeed<Tensor>;
    const size = labels.index.shape[0] as number;
    const own = size === total ? logits : ops.slice(logits, [start, 0], [size, vocabulary]);
    if (set === 'desired') found['sft'] = toward(logOdds(own, labels.tokens), labels);
    else found['kl'] = kl(own, part.base['logProbabilities'] as Tensor, labels.weights);
    start += size;
  }
  return found;
}

/** One forward of benign rows, logits of the label sets one after the other. */
function benignLogits(
  model: Model,
  weights: ModelWeights<Tensor>,
  benign: BatchTensors,
  sets: readonly string[],
): Tensor {
  const indices = sets.map((set) => (benign.labels[set] as LabelFeed<Tensor>).index);
  const index = indices.length === 1 ? (indices[0] as Tensor) : ops.concat(indices, 0);
  const hidden = hiddenStates(model, decoderWeights(model, weights), benign);
  return logitsAt(model.config, weights.parameters, hidden, index);
}

/** x divided by its own value, which is not differentiated; the published form of the kl term. */
export const KL_GUARD = 1e-8;

function perOwnValue(x: Tensor): Tensor {
  const divide = ops.customGrad((...inputs: unknown[]) => {
    const [value, save] = inputs as [Tensor, (tensors: Tensor[]) => void];
    const size = ops.add(value, KL_GUARD);
    save([size]);
    return {
      value: ops.div(value, size),
      gradFunc: (dy: Tensor, saved: Tensor[]): Tensor => ops.div(dy, saved[0] as Tensor),
    };
  });
  return divide(x);
}

function updated(args: UpdateArgs, gradients: Named): TrainedState & { readonly norm: Tensor } {
  const clipped = clipByGlobalNorm(gradients, args.clipNorm);
  const moments = { first: args.first, second: args.second };
  const next = adamwUpdate(args.trained, clipped.gradients, moments, args.adam);
  return {
    trained: next.parameters,
    first: next.moments.first,
    second: next.moments.second,
    norm: clipped.norm,
  };
}
