/**
 * @file Laws that every attack operator obeys, for every batch and every step. Each is a plain check: it returns what
 * it measured, or throws LAW_BROKEN with it. Hold your own operators to them; they depend on no test framework.
 */
import { splitBatch } from '../../datasets/index.js';
import type { Value } from '../../engine/index.js';
import { attackLoss, attackRowLosses } from '../attack/loss.js';
import type { Attack } from '../attack/attack.js';
import { LAW_KEY as KEY, type MakeAttack } from './ball-laws.js';
import type { AttackConfig } from '../config.js';
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
import type { Perturbation } from '../perturbation.js';

export * from './ball-laws.js';

/** Every row of every part is perturbed, not only those of the last one. */
export async function aliveInEveryPart(
  bench: Bench,
  make: MakeAttack,
  epsilon: number,
  parts: number,
): Promise<Figures> {
  const attack = make(epsilon);
  let weakest = Infinity;
  for (const part of splitBatch(bench.batch, parts)) {
    const found = await attack(bench.weights, part, KEY);
    const tokens = await arrivals({ ...bench, batch: part }, found.deltas);
    for (let row = 0; row < part.rows; row++) {
      const own = tokens.flatMap((norms) => [...norms.subarray(row * part.length, (row + 1) * part.length)]);
      weakest = Math.min(weakest, Math.max(...own));
    }
  }
  return holds('every row of every part is perturbed', weakest > 0, { weakest, parts });
}

/** No row's objective is higher under the one attack than under the other, such as more restarts and fewer. */
export async function neverWeaker(
  { engine, model, weights, batch }: Bench,
  config: AttackConfig,
  attack: Attack,
  other: Attack,
  tolerance = 1e-4,
): Promise<Figures> {
  const losses = async (by: Attack): Promise<Float32Array> => {
    const { deltas } = await by(weights, batch, KEY);
    return attackRowLosses(engine, model, config, weights, batch, deltas);
  };
  const [ours, theirs] = [await losses(attack), await losses(other)];
  const worst = Math.max(...ours.map((loss, row) => loss - (theirs[row] as number)));
  return holds('no row is attacked more weakly', worst <= tolerance, { worst });
}

/** A linear adversary is a function: at the embedding, where equal tokens have equal activations, they get equal vectors. */
export async function followsActivation(
  { engine, weights, batch }: Bench,
  make: MakeAttack,
  epsilon: number,
  tolerance = 1e-5,
): Promise<Figures> {
  const { deltas } = await make(epsilon)(weights, batch, KEY);
  const { data, shape } = await engine.download(deltas['embedding'] as Value);
  const [, slots, width] = shape as [number, number, number];
  const seen = new Map<string, number>();
  let [apart, pairs] = [0, 0];
  batch.slots.forEach((slot, at) => {
    if (slot < 0) return;
    const start = (Math.floor(at / batch.length) * slots + slot) * width;
    const token = `${Math.floor(at / batch.length)}:${batch.tokens[at]}`;
    const first = seen.get(token);
    if (first === undefined) return void seen.set(token, start);
    pairs += 1;
    apart = Math.max(apart, difference(data.slice(first, first + width), data.slice(start, start + width)));
  });
  return holds('equal activations get equal vectors', apart <= epsilon * tolerance, { apart, pairs });
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
