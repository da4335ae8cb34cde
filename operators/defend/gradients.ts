/** @file Gradients of a defence's losses on one part of a batch. Knows nothing about optimizers. */
import {
  ops,
  valueAndGradients,
  type Differentiable,
  type Gradients,
  type Named,
  type Tensor,
} from '../../engine/index.js';
import { benignLosses, isOfPairs, isSteering, pairTerms, perOwnValue, type DefenceLoss } from './losses.js';
import type { DefencePlan, GradientArgs } from './plan.js';
import { weighted } from '../objectives/pair-losses.js';
import type { PerSite } from '../perturbation.js';
import { reaches } from '../objectives/steering.js';

/** Names of perturbations among what is differentiated for. */
export const DELTA = 'delta of ';

/**
 * Pair rows first, gradients included, then benign rows: activations of one kind are held at a time.
 * @param sites for which δ is differentiated too, where the part is the whole batch; null where it is not.
 * @param joined joins a kind's gradients: done before they are added up, it is done before the next kind begins.
 */
export function partGradients(
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
  args: GradientArgs,
  sites: readonly string[] | null,
  joined: (gradients: Named) => Named = (gradients) => gradients,
): { readonly aux: Named; readonly gradients: Named } {
  const pairs = losses.filter(isOfPairs);
  const benign = losses.filter((name) => !isOfPairs(name));
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
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
  { trained, frozen, part, coefficients, scale }: GradientArgs,
  sites: readonly string[],
): Gradients<Named> {
  const { model, join, layer } = plan;
  const watched = Object.fromEntries(sites.map((site) => [DELTA + site, part.deltas[site] as Tensor]));
  return reachedGradients(
    plan,
    losses,
    (inputs) => {
      const weights = join({ trained: { ...trained, ...omit(inputs, sites) }, frozen });
      const deltas = Object.keys(part.deltas).map((site) => [
        site,
        inputs[DELTA + site] ?? part.deltas[site],
      ]);
      const perturbed = { ...part, deltas: Object.fromEntries(deltas) as PerSite<Tensor> };
      const aux = pairTerms(model, layer, weights, perturbed, losses);
      return { loss: weighted(aux, coefficients), aux };
    },
    { ...trained, ...watched },
    scale,
  );
}

function benignGradients(
  plan: DefencePlan,
  losses: readonly DefenceLoss[],
  { trained, frozen, part, coefficients, scale }: GradientArgs,
  whole: boolean,
): Gradients<Named> {
  const { model, join, layer } = plan;
  return reachedGradients(
    plan,
    losses,
    (inputs) => {
      const weights = join({ trained: { ...trained, ...inputs }, frozen });
      const aux = benignLosses(model, layer, weights, part, losses);
      const terms = whole && aux['kl'] ? { ...aux, kl: perOwnValue(aux['kl']) } : aux;
      return { loss: weighted(terms, coefficients), aux };
    },
    trained,
    scale,
  );
}

/** Gradients, zero for what is above the layer where all of `losses` read: the tape knows no way from there to them. */
function reachedGradients(
  { model, layer }: DefencePlan,
  losses: readonly DefenceLoss[],
  f: (inputs: Named) => Differentiable<Named>,
  inputs: Named,
  scale: Tensor | undefined,
): Gradients<Named> {
  if (!losses.every(isSteering)) return valueAndGradients(f, inputs, scale);
  const reached = Object.entries(inputs).filter(
    ([name]) => name.startsWith(DELTA) || reaches(model.config, layer, name),
  );
  const found = valueAndGradients(f, Object.fromEntries(reached), scale);
  const zeros = Object.entries(inputs).map(([name, { shape }]) => [name, ops.zeros(shape)]);
  return { ...found, gradients: { ...(Object.fromEntries(zeros) as Named), ...found.gradients } };
}

export function only(named: Named, sites: readonly string[]): Named {
  const found = sites.map((site) => [DELTA + site, named[DELTA + site]] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
}

export function omit(named: Named, sites: readonly string[]): Named {
  const dropped = new Set(sites.map((site) => DELTA + site));
  return Object.fromEntries(Object.entries(named).filter(([name]) => !dropped.has(name)));
}
