/** @file Variants of the attack, and what makes one of them on the tiny model. */
import fc from 'fast-check';
import { pack } from '../../datasets/index.js';
import type { Engine } from '../../engine/index.js';
import { createAttack, whiten, type AttackConfig } from '../../operators/index.js';
import { packedBatches, radii as radius, type Ball } from '../../testing/index.js';
import { tinyModel, tinyWeights, TINY_VOCABULARY } from './tiny-model.js';

/** What a variant changes of {@link VARIANT_BASE}. */
export type Variant = Partial<AttackConfig>;

export const VARIANT_BASE: AttackConfig = {
  sites: ['embedding', 'layers.1.mlp', 'layers.2.v'],
  segments: 'prompt',
  epsilon: 1,
  iterations: 3,
  learningRate: 0.3,
  betas: [0.9, 0.999],
  adamEpsilon: 1e-8,
  weightDecay: 0.01,
  losses: { toward: 1, away: 0.5 },
};

/** Rows of a bench for the laws. */
export const LAW_ROWS = 3;
export { radius };

/** Benches of random rows; the model's weights depend on a seed. */
export function lawBenches(engine: Engine) {
  return fc.tuple(packedBatches(TINY_VOCABULARY, LAW_ROWS), fc.nat(2)).map(([batch, seed]) => ({
    engine,
    model: tinyModel,
    weights: tinyWeights(engine, seed),
    batch,
  }));
}

/** A batch that names every token, for components of the activations. */
export const everyToken = pack(
  Array.from({ length: 12 }, (_, row) => ({
    prompt: Array.from({ length: 8 }, (_, at) => (row * 5 + at * 7 + row * at) % TINY_VOCABULARY),
    adversarial: [1],
    desired: [2],
  })),
);

/** Makes variants, and says which ball each declares. */
export async function variantMaker(engine: Engine) {
  const { sites } = VARIANT_BASE;
  const whitening = await whiten(engine, tinyModel, tinyWeights(engine, 0), sites, [everyToken]);
  return {
    make: (variant: Variant) => (epsilon: number) =>
      createAttack(engine, tinyModel, { ...VARIANT_BASE, ...variant, epsilon }, { whitening }),
    ballOf: ({ per, radius, adversary }: Variant): Ball => ({
      ...(per && { per }),
      ...(radius && { radius }),
      ...(adversary?.kind === 'whitened' && { whitening }),
    }),
  };
}

export const adversaries: Variant[] = [
  {},
  { adversary: { kind: 'low-rank', rank: 2 } },
  { adversary: { kind: 'full-rank' } },
  { adversary: { kind: 'whitened' } },
];
const searches: Variant[] = [
  { step: 'adamw' },
  { step: 'sign', start: 'random' },
  { step: 'normalized', clipNorm: 0.5, l2: 0.1 },
  { restarts: 2, losses: { ga: 1 } },
];
const noises: Variant[] = [{ search: 'noise' }, { search: 'noise', adversary: { kind: 'whitened' } }];
const radii: Variant[] = [
  {},
  { per: 'example' },
  { radius: 'relative' },
  { per: 'example', radius: 'relative' },
];
const allowed = ({ radius, adversary }: Variant): boolean =>
  radius !== 'relative' || adversary?.kind !== 'whitened';
export const noise = radii
  .flatMap((radius) => noises.map((each) => ({ ...each, ...radius })))
  .filter(allowed);
export const gradient = adversaries
  .flatMap((adversary, at) =>
    radii.flatMap((radius, of) =>
      searches
        .filter((_, which) => (at + of + which) % 2 === 0)
        .map((search) => ({ ...adversary, ...radius, ...search })),
    ),
  )
  .filter(allowed);
/** With titles, for `it.each`. */
export const named = (variants: readonly Variant[]): [string, Variant][] =>
  variants.map((variant) => [JSON.stringify(variant), variant]);
