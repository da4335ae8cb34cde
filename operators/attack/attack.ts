/**
 * @file Projected gradient descent on hidden activations (Sheshadri et al. 2024, arXiv 2407.15549): finds, within an L2
 * ball, what makes the model give the adversarial completion; its variants, and random noise to compare with. Changes no
 * weight.
 */
import type { PackedBatch } from '../../datasets/index.js';
import { float32, type Engine, type HostTensor, type Value } from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import { holdsVectors, type Whitening } from './adversary.js';
import { readFigures, type AttackFixed } from './iteration.js';
import { labelRows, rowShares } from './loss.js';
import { assessed, realised, stronger, vectorsOf, type Found } from './outcome.js';
import { attackPasses } from './passes.js';
import { attackCoefficients, attackPlan, parameterShapesOf, type AttackPlan } from './plan.js';
import { finite, Searcher, type Search, type Searched } from './search.js';
import { survey } from './survey.js';
import { comparisonOf } from '../objectives/comparison.js';
import type { AttackConfig } from '../config.js';
import { attackedSlots, feedOf } from '../feed.js';
import type { Model, ModelWeights } from '../model.js';
import { requireLabels } from '../objectives/pair-losses.js';
import { ATTACK_AIMS, completionsOf } from '../objectives/pair-objectives.js';
import type { AttackTrace, PerSite, Perturbation } from '../perturbation.js';
import { uploadScalars } from '../scalars.js';

/** Above every loss. */
const HIGHEST = 3e38;

/** What an attack's random draws, if it makes any, are a function of, beside what the rows say. */
export interface AttackKey {
  readonly step: number;
  readonly seed: number;
}

/**
 * Any attack operator: finds a perturbation for the rows of a batch, and holds to the laws in `testing/laws`.
 * The parts of a batch (`splitBatch`), attacked one by one, get the same perturbation as the whole.
 */
export type Attack = (weights: ModelWeights, batch: PackedBatch, key: AttackKey) => Promise<Perturbation>;

export interface AttackOptions {
  /** Also give the last iteration's gradients for what is optimized. */
  readonly keepGradients?: boolean;
  /** Principal components of activations, which a `whitened` adversary needs: see `whiten`. */
  readonly whitening?: Whitening<HostTensor>;
  /** Parameters of what losses compare with; if not given, those that are attacked, in both cases without adapters. */
  readonly reference?: PerSite<Value>;
}

/**
 * The attack that a configuration describes. As published unless it says otherwise: δ = 0; K times the gradient of the
 * losses for δ at all sites, AdamW, and projection of every token's vector onto the ball of radius ε. One program run per
 * iteration; every number is an argument of it.
 * @throws SITE_UNKNOWN, SITE_DUPLICATE, LOSS_UNKNOWN, LOSS_NONE, ATTACK_CONFLICT, WHITENING_MISSING; when run,
 * LABELS_MISSING, LABELS_UNPAIRED, SLOTS_NONE, LOSS_NOT_FINITE.
 */
export function createAttack(
  engine: Engine,
  model: Model,
  config: AttackConfig,
  options: AttackOptions = {},
): Attack {
  const plan = attackPlan(model, config);
  const { keepGradients = false, whitening } = options;
  const components = componentsOf(engine, plan, whitening);
  const shapesFor = (batch: PackedBatch): Record<string, readonly number[]> =>
    parameterShapesOf(model, plan, batch.rows, batch.slotCount, whitening);
  const kinds = new Set(Object.values(parameterShapesOf(model, plan, 1, 1, whitening)).map(String)).size;
  const searcher = new Searcher(engine, model, config, plan, kinds, keepGradients);

  return async (weights, batch, key) => {
    requireLabels('attack', batch, completionsOf(plan.losses, ATTACK_AIMS));
    requireSlots(batch);
    const fixed = await fixedOf(engine, model, config, plan, weights, batch, {
      components,
      reference: options.reference,
    });
    const search = searcher.on(batch, fixed, shapesFor(batch));
    const context: Context = { engine, model, plan, fixed };
    const searched = await search({ ...key, restart: 0 });
    const { vectors, trace, release } = await strongest(context, config.restarts ?? 1, search, searched, {
      batch,
      key,
    });
    if (config.search === 'noise' || (config.restarts ?? 1) > 1) {
      const figures = await assessed(engine, model, plan, fixed, vectors);
      trace.push(finite(readFigures(figures, trace.length, plan), 0));
    }
    return {
      deltas: await realised(engine, model, plan, fixed.space, vectors),
      slots: fixed.batch.slots,
      trace,
      passes: attackPasses(config, plan, batch),
      ...(keepGradients ? { gradients: searched.gradients } : {}),
      warnings: neverBinding(trace, config, plan),
      release,
    };
  };
}

interface Context {
  readonly engine: Engine;
  readonly model: Model;
  readonly plan: AttackPlan;
  readonly fixed: AttackFixed<Value>;
}

/** Searches again from other starts, and keeps row by row what is strongest. @param first the first search. */
async function strongest(
  { engine, model, plan, fixed }: Context,
  searches: number,
  search: Search,
  first: Searched,
  { batch, key }: { readonly batch: PackedBatch; readonly key: AttackKey },
): Promise<{ vectors: PerSite<Value>; trace: AttackTrace[]; release: () => void }> {
  const trace = [...first.trace];
  const vectors = await vectorsOf(engine, model, plan, fixed, first.parameters);
  if (searches === 1) return { vectors, trace, release: first.release };
  const rows = labelRows(engine, batch);
  const losses = engine.upload(float32([batch.rows], new Float32Array(batch.rows).fill(HIGHEST)));
  const keep = (kept: Found, fresh: PerSite<Value>): Promise<Found> =>
    stronger(engine, model, plan, fixed, rows, kept, fresh);
  let kept = await keep({ vectors, losses }, vectors);
  first.release();
  for (let restart = 1; restart < searches; restart++) {
    const next = await search({ ...key, restart });
    kept = await keep(kept, await vectorsOf(engine, model, plan, fixed, next.parameters));
    next.release();
    const before = trace.length;
    trace.push(...next.trace.map((entry) => ({ ...entry, iteration: before + entry.iteration })));
  }
  return { vectors: kept.vectors, trace, release: () => undefined };
}

/** Everything that an attack's iterations share. */
async function fixedOf(
  engine: Engine,
  model: Model,
  config: AttackConfig,
  plan: AttackPlan,
  weights: ModelWeights,
  batch: PackedBatch,
  {
    components,
    reference,
  }: { components: PerSite<Value> | undefined; reference: AttackOptions['reference'] },
): Promise<AttackFixed<Value>> {
  const given = {
    weights,
    batch: feedOf(engine, batch),
    attacked: engine.upload(float32([batch.rows, batch.slotCount], attackedSlots(batch))),
  };
  const wanted = { units: config.radius === 'relative', activations: !holdsVectors(plan.adversary) };
  const { l2, clipNorm: clip } = config;
  const limits: Readonly<Record<string, number | HostTensor>> = {
    ...(l2 !== undefined && { l2 }),
    ...(clip !== undefined && { clip }),
    ...((l2 ?? clip) !== undefined && { share: rowShares(batch) }),
  };
  return {
    ...given,
    coefficients: uploadScalars(engine, Object.fromEntries(attackCoefficients(config))),
    comparison: await comparisonOf(engine, model, reference ?? weights.parameters, batch, given.batch, {
      aims: ATTACK_AIMS,
      names: plan.losses,
      objectives: config.objectives,
    }),
    epsilon: engine.upload(float32([], [config.epsilon])),
    space: { ...(await survey(engine, model, plan.sites, wanted, given)), ...(components && { components }) },
    limits: uploadScalars(engine, limits),
  };
}

/** @throws WHITENING_MISSING where a whitened adversary has no components of some site. */
function componentsOf(
  engine: Engine,
  { adversary, sites }: AttackPlan,
  whitening: Whitening<HostTensor> | undefined,
): PerSite<Value> | undefined {
  if (adversary.kind !== 'whitened') return undefined;
  const missing = sites.find((site) => !whitening?.[site]);
  if (missing !== undefined || !whitening)
    return complain({
      code: 'WHITENING_MISSING',
      owner: 'attack',
      expected: 'principal components of the activations at every site, for a whitened adversary',
      got: `none for ${missing ?? 'any'}`,
      hint: 'make them with whiten(…) from some batches, and pass them as options.whitening',
    });
  return Object.fromEntries(sites.map((site) => [site, engine.upload(whitening[site] as HostTensor)]));
}

/** Sites where no group ever came near ε: there the bound plays no part, and a larger ε changes nothing. */
function neverBinding(
  trace: readonly AttackTrace[],
  { epsilon }: AttackConfig,
  { sites }: AttackPlan,
): string[] {
  if (trace.length === 0 || epsilon === 0) return [];
  const largest: PerSite<number> = Object.fromEntries(
    sites.map((site) => [
      site,
      Math.max(...trace.map(({ norms, bounded = norms }) => bounded[site] as number)),
    ]),
  );
  return sites
    .filter((site) => (largest[site] as number) < epsilon * (1 - 1e-4))
    .map(
      (site) =>
        `attack: ε = ${epsilon} never bound at ${site} (largest norm ${(largest[site] as number).toPrecision(3)}); ` +
        'lower ε, or raise the learning rate or iterations',
    );
}

function requireSlots(batch: PackedBatch): void {
  if (batch.slotCount === 0)
    complain({
      code: 'SLOTS_NONE',
      owner: 'attack',
      expected: 'a batch with tokens to perturb',
      got: 'none',
      hint: "pack it with attacked: 'prompt' or 'prompt+completions'",
    });
}
