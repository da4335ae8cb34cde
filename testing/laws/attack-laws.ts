/**
 * @file Laws that every attack operator obeys, for every batch and every step. Each is a plain check: it returns what
 * it measured, or throws LAW_BROKEN with it. Hold your own operators to them; they depend on no test framework.
 */
import { splitBatch, type PackedBatch } from '../../datasets/index.js';
import type { Value } from '../../engine/index.js';
import {
  attackedSlots,
  attackLoss,
  attackRowLosses,
  vectorNorms,
  type Attack,
  type AttackObjective,
  type Perturbation,
} from '../../operators/index.js';
import { LAW_KEY as KEY, type MakeAttack } from './ball-laws.js';
import { ballNorms, type Ball } from './ball-measures.js';
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

export * from './ball-laws.js';

/** Every row of every part is perturbed, not only those of the last one; and stays so while other parts are attacked. */
export async function aliveInEveryPart(
  bench: Bench,
  make: MakeAttack,
  epsilon: number,
  parts: number,
): Promise<Figures> {
  const attack = make(epsilon);
  const found: { part: PackedBatch; perturbation: Perturbation }[] = [];
  for (const part of splitBatch(bench.batch, parts))
    found.push({ part, perturbation: await attack(bench.weights, part, KEY) });
  let weakest = Infinity;
  for (const { part, perturbation } of found) {
    const tokens = await arrivals({ ...bench, batch: part }, perturbation);
    for (let row = 0; row < part.rows; row++) {
      const own = tokens.flatMap((norms) => [...norms.subarray(row * part.length, (row + 1) * part.length)]);
      weakest = Math.min(weakest, Math.max(...own));
    }
  }
  return holds('every row of every part is perturbed', weakest > 0, { weakest, parts });
}

/** No row's objective is higher under the one attack than under the other, such as more restarts and fewer. */
export async function neverWeaker(
  bench: Bench,
  objective: AttackObjective,
  attack: Attack,
  other: Attack,
  tolerance = 1e-4,
): Promise<Figures> {
  const worst = -Math.min(...(await rowGains(bench, objective, attack, other)));
  return holds('no row is attacked more weakly', worst <= tolerance, { worst });
}

/** Some row's objective is lower by a margin under the one attack than under the other: what it adds is not idle. */
export async function strongerSomewhere(
  bench: Bench,
  objective: AttackObjective,
  attack: Attack,
  other: Attack,
  margin: number,
): Promise<Figures> {
  const best = Math.max(...(await rowGains(bench, objective, attack, other)));
  return holds('some row is attacked more strongly', best >= margin, { best, margin });
}

/** How much lower each row's objective is under the one attack than under the other. */
async function rowGains(
  { engine, model, weights, batch }: Bench,
  objective: AttackObjective,
  attack: Attack,
  other: Attack,
): Promise<number[]> {
  const losses = async (by: Attack): Promise<Float32Array> => {
    const { deltas } = await by(weights, batch, KEY);
    return attackRowLosses(engine, model, objective, weights, batch, deltas);
  };
  const [ours, theirs] = [await losses(attack), await losses(other)];
  return Array.from(theirs, (loss, row) => loss - (ours[row] as number));
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

/** Tokens without a slot, padding among them, receive exactly nothing; tokens with one may. Vectors without a token are 0. */
export async function zeroOffTheMask(bench: Bench, make: MakeAttack, epsilon: number): Promise<Figures> {
  const { engine, batch } = bench;
  const found = await make(epsilon)(bench.weights, batch, KEY);
  let [outside, inside, unused] = [0, 0, 0];
  for (const norms of await arrivals(bench, found))
    norms.forEach((norm, token) => {
      const attacked = (batch.slots[token] as number) >= 0 && batch.segments[token] !== 0;
      if (attacked) inside = Math.max(inside, norm);
      else outside = Math.max(outside, norm);
    });
  const used = attackedSlots(batch);
  for (const delta of Object.values(found.deltas))
    vectorNorms(await engine.download(delta)).forEach((norm, slot) => {
      if (used[slot] === 0) unused = Math.max(unused, norm);
    });
  const condition = outside === 0 && unused === 0 && inside > 0;
  return holds('what is not attacked is not perturbed, and what is attacked is', condition, {
    outside,
    unused,
    inside,
  });
}

/** Under its perturbation the attack's loss is lower than without, by a margin: a no-op is no attack. */
export async function lowersItsLoss(
  { engine, model, weights, batch }: Bench,
  objective: AttackObjective,
  attack: Attack,
  margin: number,
): Promise<Figures> {
  const before = await attackLoss(engine, model, objective, weights, batch);
  const found = await attack(weights, batch, KEY);
  const after = await attackLoss(engine, model, objective, weights, batch, found.deltas);
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

/**
 * An ε that plays no part is reported, and one that does is not. It plays one where some group is as long as ε at every
 * site, and none where at some site nothing ever was half as long; in between an operator may say so or not.
 */
export async function reportsSlack(
  bench: Bench,
  make: MakeAttack,
  epsilon: number,
  ball: Ball = {},
): Promise<Figures> {
  const { deltas, trace, warnings } = await make(epsilon)(bench.weights, bench.batch, KEY);
  const { norms } = await ballNorms(bench, deltas, ball);
  let [final, ever] = [Infinity, Infinity];
  for (const [site, all] of Object.entries(norms)) {
    const largest = Math.max(...all);
    const before = trace.map(({ norms, bounded = norms }) => bounded[site] ?? 0);
    final = Math.min(final, largest / epsilon);
    ever = Math.min(ever, Math.max(largest, ...before) / epsilon);
  }
  const reported = warnings.length;
  const condition = final >= 1 - 1e-5 ? reported === 0 : ever >= 0.5 || reported > 0;
  return holds('an ε that never binds is reported, and only such', condition, { final, ever, reported });
}
