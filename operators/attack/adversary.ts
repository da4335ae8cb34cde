/**
 * @file What an attack's parameters are, and the perturbation that they make: vectors, linear functions of activations,
 * vectors in a whitened space. Knows nothing about losses, or how the parameters are found.
 */
import {
  ops,
  projectGroups,
  projectToBall,
  type Grouping,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import type { AdversaryConfig } from '../config.js';
import type { PerSite } from '../perturbation.js';

// B row, P slot, D width of the site, K components, R rank

/** What a perturbation is expressed in; each field only where the adversary or the radius needs it. */
export type Space<T = Tensor> = {
  /** Length of one unit of ε, by site. [B, 1, 1] */
  readonly unit?: PerSite<T>;
  /** Unperturbed activations at the slots, divided by their mean norm in the row, by site. [B, P, D] */
  readonly activations?: PerSite<T>;
  /** Components as rows, each as long as the deviation along it, by site. [K, D] */
  readonly components?: PerSite<T>;
};

/** How parameters become a perturbation. */
export interface Adversary {
  readonly kind: AdversaryConfig['kind'];
  readonly rank: number;
  readonly per: Grouping;
}

/** A site's own parameters, by the end of their names: none of them mixes rows. */
type Parts = Readonly<Record<string, readonly number[]>>;

/** Shapes of the parameters of one site. @param size of a vector: D, or K where it is whitened. */
export function partsOfSite({ kind, rank }: Adversary, rows: number, slots: number, size: number): Parts {
  if (kind === 'low-rank') return { ':A': [rows, size, rank], ':B': [rows, rank, size] };
  if (kind === 'full-rank') return { ':W': [rows, size, size], ':b': [rows, 1, size] };
  return { '': [rows, slots, size] };
}

/** True where the parameters are vectors in the ball themselves. */
export function holdsVectors({ kind }: Adversary): boolean {
  return kind === 'free' || kind === 'whitened';
}

/**
 * The vector of each slot in units of ε, [B, P, D] (or K), before any projection; 0 where no token has the slot.
 * @param attacked_BP 1 for slots that some token has, else 0.
 */
export function vectorsAt(
  adversary: Adversary,
  site: string,
  parameters: Readonly<Record<string, Tensor>>,
  space: Space,
  attacked_BP: Tensor,
): Tensor {
  const part = (end: string): Tensor => parameters[`${site}${end}`] as Tensor;
  if (holdsVectors(adversary)) return part('');
  const h_BPD = space.activations?.[site] as Tensor;
  const made_BPD =
    adversary.kind === 'low-rank'
      ? ops.matMul(ops.matMul(h_BPD, part(':A')), part(':B'))
      : ops.add(ops.matMul(h_BPD, part(':W')), part(':b'));
  return ops.mul(made_BPD, ops.expandDims(attacked_BP, 2));
}

/** Into the ball, as parameters are after a step: those of functions stay, their outputs are projected where they are used. */
export function projectParameters(adversary: Adversary, parameter: Tensor, epsilon: Tensor): Tensor {
  if (!holdsVectors(adversary)) return parameter;
  return adversary.per === 'token'
    ? projectToBall(parameter, epsilon)
    : projectGroups(parameter, epsilon, adversary.per);
}

/** The vectors that ε bounds, in its units. */
export function boundedVectors(
  adversary: Adversary,
  site: string,
  parameters: Readonly<Record<string, Tensor>>,
  space: Space,
  attacked_BP: Tensor,
  epsilon: Tensor,
): Tensor {
  const vectors = vectorsAt(adversary, site, parameters, space, attacked_BP);
  return holdsVectors(adversary) ? vectors : projectGroups(vectors, epsilon, adversary.per);
}

/** δ in activation units [B, P, D] from vectors in units of ε. */
export function inActivationUnits(site: string, vectors: Tensor, { unit, components }: Space): Tensor {
  const basis_KD = components?.[site];
  if (basis_KD) {
    const [rows, slots, size] = vectors.shape as [number, number, number];
    const flat = ops.matMul(ops.reshape(vectors, [rows * slots, size]), basis_KD);
    return ops.reshape(flat, [rows, slots, basis_KD.shape[1] as number]);
  }
  const length_B11 = unit?.[site];
  return length_B11 ? ops.mul(vectors, length_B11) : vectors;
}

/** Components by site: see {@link Space}. */
export type Whitening<T = Value> = PerSite<T>;
