/**
 * @file Laws that every attack operator obeys, for every batch and every step. Each is a plain check: it returns what
 * it measured, or throws LAW_BROKEN with it. Hold your own operators to them; they depend on no test framework.
 */
import { splitBatch } from '../datasets/index.js';
import {
  float32,
  type Definition,
  type Engine,
  type HostTensor,
  type Tensor,
  type Value,
} from '../engine/index.js';
import { attackLoss } from './attack-iteration.js';
import type { Attack, AttackKey } from './attack.js';
import type { AttackConfig } from './config.js';
import {
  allLogits,
  arrivals,
  difference,
  holds,
  joined,
  relativeDistance,
  weightDigests,
  type Bench,
  type Figures,
} from './law-measures.js';
import type { Perturbation } from './perturbation.js';

/** An attack operator made for a radius. */
export type MakeAttack = (epsilon: number) => Attack;

const KEY: AttackKey = { step: 1, seed: 1 };

/**
 * No token's perturbation is longer than ε at any site, as it arrives in the model.
 * @param tolerance relative; float32 rounding of a norm.
 */
export async function staysInBall(
  bench: Bench,
  make: MakeAttack,
  epsilon: number,
  tolerance = 1e-5,
): Promise<Figures> {
  const found = await make(epsilon)(bench.weights, bench.batch, KEY);
  let largest = 0;
  for (const norms of await arrivals(bench, found.deltas)) largest = Math.max(largest, ...norms);
  return holds('every token stays within ε', largest <= epsilon * (1 + tolerance), { largest, epsilon });
}

/** Projecting twice is projecting once. @param project as a program writes it: δ [B, P, D] and ε, a scalar. */
export async function projectsOnce(
  engine: Engine,
  project: (delta: Tensor, epsilon: Tensor) => Tensor,
  delta: HostTensor,
  epsilon: number,
  tolerance = 1e-6,
): Promise<Figures> {
  const definition: Definition<{ delta: Tensor; epsilon: Tensor }> = {
    name: `law-projection:${project.toString()}`,
    compute: (args) => ({
      once: project(args.delta, args.epsilon),
      twice: project(project(args.delta, args.epsilon), args.epsilon),
    }),
  };
  const { once, twice } = (await engine.run(definition, {
    delta: engine.upload(delta),
    epsilon: engine.upload(float32([], [epsilon])),
  })) as unknown as Record<'once' | 'twice', Value>;
  const change = difference((await engine.download(once)).data, (await engine.download(twice)).data);
  return holds('projection is idempotent', change <= epsilon * tolerance, { change, epsilon });
}

/** Tokens without a slot, padding among them, receive exactly nothing; tokens with one may. */
export async function zeroOffTheMask(bench: Bench, make: MakeAttack, epsilon: number): Promise<Figures> {
  const found = await make(epsilon)(bench.weights, bench.batch, KEY);
  let [outside, inside] = [0, 0];
  for (const norms of await arrivals(bench, found.deltas))
    norms.forEach((norm, token) => {
      const attacked = (bench.batch.slots[token] as number) >= 0 && bench.batch.segments[token] !== 0;
      if (attacked) inside = Math.max(inside, norm);
      else outside = Math.max(outside, norm);
    });
  const condition = outside === 0 && inside > 0;
  return holds('what is not attacked is not perturbed, and what is attacked is', condition, {
    outside,
    inside,
  });
}

/** Under its perturbation the attack's loss is lower than without, by a margin: a no-op is no attack. */
export async function lowersItsLoss(
  { engine, model, weights, batch }: Bench,
  config: AttackConfig,
  attack: Attack,
  margin: number,
): Promise<Figures> {
  const before = await attackLoss(engine, model, config, weights, batch);
  const found = await attack(weights, batch, KEY);
  const after = await attackLoss(engine, model, config, weights, batch, found.deltas);
  return holds(`the attack lowers its loss by ${margin}`, before - after >= margin, {
    before,
    after,
    margin,
  });
}

/** An attack changes no weight, not one bit of it. */
export async function changesNoWeight(bench: Bench, make: MakeAttack, epsilon: number): Promise<Figures> {
  const before = await weightDigests(bench);
  await make(epsilon)(bench.weights, bench.batch, KEY);
  const after = await weightDigests(bench);
  const changed = before.filter((hash, at) => hash !== after[at]).length;
  return holds('no weight changes during an attack', changed === 0, { changed });
}

/** With ε = 0 the attacked model is the model, bit for bit. */
export async function identityAtZero(bench: Bench, make: MakeAttack): Promise<Figures> {
  const found = await make(0)(bench.weights, bench.batch, KEY);
  const [plain, attacked] = [await allLogits(bench, {}), await allLogits(bench, found.deltas)];
  const change = difference(plain, attacked);
  return holds('ε = 0 changes nothing', change === 0, { change });
}

/** After an attack the model computes what it computed before: nothing stays hooked into it. */
export async function leavesNothingBehind(bench: Bench, make: MakeAttack, epsilon: number): Promise<Figures> {
  const before = await allLogits(bench, {});
  await make(epsilon)(bench.weights, bench.batch, KEY);
  const change = difference(before, await allLogits(bench, {}));
  return holds('a forward after an attack equals one before', change === 0, { change });
}

/** The same key, weights and batch give the same perturbation, bit for bit; so does an attack that was used before. */
export async function repeatsItself(bench: Bench, make: MakeAttack, epsilon: number): Promise<Figures> {
  const attack = make(epsilon);
  const run = async (): Promise<Float32Array> => {
    const perturbation = await attack(bench.weights, bench.batch, KEY);
    const all = await joined(bench.engine, [perturbation.deltas]);
    perturbation.release();
    return all;
  };
  const change = difference(await run(), await run());
  return holds('an attack is a function of its key, weights and batch', change === 0, { change });
}

/** A batch that is attacked in parts, by rows, gets the perturbation that it gets as a whole. */
export async function partsLikeWhole(
  bench: Bench,
  make: MakeAttack,
  epsilon: number,
  parts: number,
  tolerance = 1e-3,
): Promise<Figures> {
  const attack = make(epsilon);
  const whole = await attack(bench.weights, bench.batch, KEY);
  const pieces: Perturbation[] = [];
  for (const part of splitBatch(bench.batch, parts)) pieces.push(await attack(bench.weights, part, KEY));
  const reference = await joined(bench.engine, [whole.deltas]);
  const together = await joined(
    bench.engine,
    pieces.map(({ deltas }) => deltas),
  );
  const distance = relativeDistance(together, reference);
  return holds('parts are attacked like the whole', distance <= tolerance, { distance, parts });
}

/** An ε that plays no part is reported, and one that does is not. */
export async function reportsSlack(
  bench: Bench,
  make: MakeAttack,
  binding: number,
  slack: number,
): Promise<Figures> {
  const tight = (await make(binding)(bench.weights, bench.batch, KEY)).warnings.length;
  const loose = (await make(slack)(bench.weights, bench.batch, KEY)).warnings.length;
  return holds('an ε that never binds is reported, and only such', tight === 0 && loose > 0, {
    tight,
    loose,
  });
}
