/** @file What an attack's configuration means for a model: everything that its programs are made from, and no number. */
import { parseSite, siteNames, siteWidth } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import { partsOfSite, type Adversary, type Whitening } from './adversary.js';
import { coefficientsOf, type AttackConfig, type AttackObjective, type Coefficients } from '../config.js';
import type { Model } from '../model.js';
import { PAIR_LOSSES, type PairLoss } from '../objectives/pair-objectives.js';

/** The static choices of an attack. */
export interface AttackPlan {
  readonly sites: readonly string[];
  /** Names of losses, in the order of their figures. */
  readonly losses: readonly PairLoss[];
  readonly adversary: Adversary;
  readonly step: NonNullable<AttackConfig['step']>;
  /** True where ε bounds the norm of each token's vector in activation units, as published. */
  readonly plain: boolean;
}

/** The coefficients of an attack's losses. @throws LOSS_UNKNOWN, LOSS_NONE */
export function attackCoefficients(config: AttackObjective): Coefficients<PairLoss> {
  return coefficientsOf('attack', { ...config.losses }, PAIR_LOSSES, config.normalizeCoefficients);
}

/** @throws SITE_UNKNOWN, SITE_DUPLICATE, LOSS_UNKNOWN, LOSS_NONE, ATTACK_CONFLICT */
export function attackPlan(model: Model, config: AttackConfig): AttackPlan {
  refuseConflicts(config);
  const losses = [...attackCoefficients(config).keys()];
  const { adversary = { kind: 'free' }, per = 'token' } = config;
  const rank = adversary.kind === 'low-rank' ? adversary.rank : 0;
  return {
    sites: attackedSites(model, config.sites),
    losses,
    adversary: { kind: adversary.kind, rank, per },
    step: config.step ?? 'adamw',
    plain: per === 'token' && config.radius !== 'relative' && adversary.kind !== 'whitened',
  };
}

/** The sites of an attack by name. @throws SITE_UNKNOWN, SITE_DUPLICATE */
export function attackedSites({ config }: Model, sites: AttackConfig['sites']): readonly string[] {
  if (sites === 'all') return siteNames(config);
  const twice = sites.find((site, at) => sites.indexOf(site) !== at);
  if (twice !== undefined)
    complain({
      code: 'SITE_DUPLICATE',
      owner: 'attack',
      expected: 'every site once',
      got: `${twice} more than once`,
      hint: 'name it once: one perturbation is found per site',
    });
  sites.forEach((site) => parseSite(config, site));
  return sites;
}

/** Shapes of all that an attack optimizes, by name. @param whitening where its adversary is `whitened`. */
export function parameterShapesOf(
  model: Model,
  { sites, adversary }: AttackPlan,
  rows: number,
  slots: number,
  whitening: Whitening<{ readonly shape: readonly number[] }> | undefined,
): Record<string, readonly number[]> {
  return Object.fromEntries(
    sites.flatMap((site) => {
      const size = whitening?.[site]?.shape[0] ?? siteWidth(model.config, site);
      const parts = partsOfSite(adversary, rows, slots, size);
      return Object.entries(parts).map(([end, shape]) => [`${site}${end}`, shape]);
    }),
  );
}

/** Choices that would contradict each other: said, not silently overruled. */
function refuseConflicts({ adversary, radius, search, step, clipNorm, l2 }: AttackConfig): void {
  const kind = adversary?.kind ?? 'free';
  const conflict = (expected: string, got: string, hint: string): never =>
    complain({ code: 'ATTACK_CONFLICT', owner: 'attack', expected, got, hint });
  if (kind === 'whitened' && radius === 'relative')
    conflict(
      'an absolute radius with a whitened adversary',
      'radius relative',
      'leave radius out: ε is in standard deviations of the activations already',
    );
  if (search === 'noise' && (kind === 'low-rank' || kind === 'full-rank'))
    conflict(
      'free or whitened vectors for noise',
      kind,
      'noise has no function to find: leave adversary out',
    );
  if (search === 'noise' && (step !== undefined || clipNorm !== undefined || l2 !== undefined))
    conflict('no step, clipNorm or l2 with noise', 'one of them', 'remove them: noise takes no gradient');
}
