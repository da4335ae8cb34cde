/**
 * @file Targeted projected gradient descent on hidden activations (Sheshadri et al. 2024, arXiv 2407.15549): finds,
 * within an L2 ball per token and site, what makes the model give the adversarial completion. Changes no weight.
 */
import type { PackedBatch } from '../datasets/index.js';
import { adamwScalars, float32, siteWidth, type Engine, type Value } from '../engine/index.js';
import { complain } from '../foundation/index.js';
import {
  attackCoefficients,
  attackIteration,
  readFigures,
  readReach,
  type AttackFixed,
  type AttackResult,
  type AttackVarying,
} from './attack-iteration.js';
import { comparisonOf } from './comparison.js';
import type { AttackConfig } from './config.js';
import { attackedSlots, feedOf } from './feed.js';
import type { Model, ModelWeights } from './model.js';
import { requireLabels } from './pair-losses.js';
import { ATTACK_AIMS, completionsOf } from './pair-objectives.js';
import {
  StateBuffers,
  type AttackTrace,
  type PerSite,
  type Perturbation,
  type PerturbationState,
} from './perturbation.js';
import { uploadScalars } from './scalars.js';

/** What an attack's random draws, if it makes any, are a function of. */
export interface AttackKey {
  readonly step: number;
  readonly seed: number;
}

export interface AttackOptions {
  /** Also give the last iteration's gradients for δ. */
  readonly keepGradients?: boolean;
  /** Parameters of what losses compare with; if not given, those that are attacked, in both cases without adapters. */
  readonly reference?: PerSite<Value>;
}

/** Shapes of batches whose buffers are kept between attacks. */
const KEPT_BATCHES = 8;

/**
 * Any attack operator: finds a perturbation for the rows of a batch, and holds to the laws in `laws.ts`.
 * The parts of a batch (`splitBatch`), attacked one by one, get the same perturbation as the whole.
 */
export type Attack = (weights: ModelWeights, batch: PackedBatch, key: AttackKey) => Promise<Perturbation>;

/**
 * The published attack: δ = 0; K times the gradient of the losses for δ at all sites, AdamW, and projection of every
 * token's vector onto the ball of radius ε. One program run per iteration; every number is an argument of it.
 * @throws SITE_UNKNOWN, SITE_DUPLICATE, LOSS_UNKNOWN, LOSS_NONE; when run, LABELS_MISSING, LABELS_UNPAIRED, SLOTS_NONE, LOSS_NOT_FINITE.
 */
export function createAttack(
  engine: Engine,
  model: Model,
  config: AttackConfig,
  options: AttackOptions = {},
): Attack {
  const coefficients = attackCoefficients(config);
  const losses = [...coefficients.keys()];
  requireDistinct(config.sites);
  const widths = config.sites.map((site) => [site, siteWidth(model.config, site)] as const);
  const definition = attackIteration(model, config.sites, losses, options.keepGradients ?? false);
  const buffers = new StateBuffers(engine, KEPT_BATCHES * new Set(widths.map(([, width]) => width)).size);

  return async (weights, batch) => {
    requireLabels('attack', batch, completionsOf(losses, ATTACK_AIMS));
    requireSlots(batch);
    const shapes = Object.fromEntries(
      widths.map(([site, width]) => [site, [batch.rows, batch.slotCount, width]]),
    );
    const feed = feedOf(engine, batch);
    const fixed = {
      weights,
      batch: feed,
      comparison: await comparisonOf(engine, model, options.reference ?? weights.parameters, batch, feed, {
        aims: ATTACK_AIMS,
        names: losses,
        objectives: config.objectives,
      }),
      attacked: engine.upload(float32([batch.rows, batch.slotCount], attackedSlots(batch))),
      coefficients: uploadScalars(engine, Object.fromEntries(coefficients)),
      epsilon: engine.upload(float32([], [config.epsilon])),
    };
    const trace: AttackTrace[] = [];
    const loop = engine.loop<AttackFixed, AttackVarying, AttackResult>(definition, fixed);
    // The state is read from one set of buffers and written to the other: a program never writes over its arguments.
    let [spare, next] = [takeState(buffers, shapes), takeState(buffers, shapes)];
    let state = zeroState(buffers, shapes);
    let last: PerSite<Value> = {};
    for (let iteration = 0; iteration < config.iterations; iteration++) {
      const adam = uploadScalars(engine, adamwScalars(iteration + 1, config));
      const { figures, gradients } = await loop.run({ state, adam }, { state: next });
      const { data } = await engine.download(figures);
      trace.push(finite(readFigures(data, iteration, config.sites, losses), readReach(data)));
      last = gradients;
      [state, spare, next] = [next, next, spare];
    }
    giveBack(buffers, [next, { m: spare.m, v: spare.v }]);
    return {
      deltas: state.delta,
      slots: fixed.batch.slots,
      trace,
      ...(options.keepGradients ? { gradients: last } : {}),
      warnings: neverBinding(trace, config),
      release: once(() => giveBack(buffers, [{ delta: spare.delta }])),
    };
  };
}

type Shapes = Readonly<Record<string, readonly number[]>>;

function takeState(buffers: StateBuffers, shapes: Shapes): PerturbationState {
  return { delta: buffers.takeAll(shapes), m: buffers.takeAll(shapes), v: buffers.takeAll(shapes) };
}

function zeroState(buffers: StateBuffers, shapes: Shapes): PerturbationState {
  const zeros = Object.fromEntries(
    Object.entries(shapes).map(([site, shape]) => [site, buffers.zeros(shape)]),
  );
  return { delta: zeros, m: zeros, v: zeros };
}

function giveBack(buffers: StateBuffers, states: readonly Partial<PerturbationState>[]): void {
  for (const state of states) for (const values of Object.values(state)) buffers.giveAll(values);
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

/** @param reach of the perturbation before its projection, which would hide that it left float32. */
function finite(trace: AttackTrace, reach: number): AttackTrace {
  if (Number.isFinite(trace.loss) && Number.isFinite(reach)) return trace;
  return complain({
    code: 'LOSS_NOT_FINITE',
    owner: `attack, iteration ${trace.iteration}`,
    expected: 'a finite loss, and a perturbation of finite norm before its projection',
    got: `loss ${trace.loss}, norm ${reach}`,
    hint: 'lower the learning rate, or go back to a checkpoint from before the weights diverged',
  });
}

function requireDistinct(sites: readonly string[]): void {
  const twice = sites.find((site, at) => sites.indexOf(site) !== at);
  if (twice !== undefined)
    complain({
      code: 'SITE_DUPLICATE',
      owner: 'attack',
      expected: 'every site once',
      got: `${twice} more than once`,
      hint: 'name it once: one perturbation is found per site',
    });
}

/** Sites where no token ever came near ε: there the bound plays no part, and a larger ε changes nothing. */
function neverBinding(trace: readonly AttackTrace[], { epsilon, iterations, sites }: AttackConfig): string[] {
  if (iterations === 0 || epsilon === 0) return [];
  const largest: PerSite<number> = Object.fromEntries(
    sites.map((site) => [site, Math.max(...trace.map(({ norms }) => norms[site] as number))]),
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
