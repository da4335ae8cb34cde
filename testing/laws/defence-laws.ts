/**
 * @file Laws that every defender obeys when a batch is given in parts. Plain checks, as in `attack-laws.ts`: they return
 * what they measured, or throw LAW_BROKEN.
 */
import { float32, sizeOf, type Engine, type Value } from '../../engine/index.js';
import { partsOf, type Defender, type DefendPart, type PerSite } from '../../operators/index.js';
import { holds, relativeDistance, type Bench, type Figures } from './law-measures.js';
import type { PackedBatch } from '../../datasets/index.js';

/** A fresh defender, the same each time, that makes one update per step and remembers first moments. */
export type MakeDefender = () => Defender;

/** A batch and the perturbation of its pair rows. */
export interface PerturbedBatch {
  readonly pairs: PackedBatch;
  readonly benign?: PackedBatch;
  readonly deltas: PerSite<Value>;
}

/**
 * The gradient that is accumulated over the parts of a batch is the batch's: seen in the first moments after the
 * first update, which are the (clipped) gradient times a constant.
 */
export async function accumulatesWhole(
  { engine }: Pick<Bench, 'engine'>,
  make: MakeDefender,
  batch: PerturbedBatch,
  parts: number,
  tolerance = 1e-4,
): Promise<Figures> {
  const whole = await gradientOf(make, [{ ...batch }]);
  const accumulated = await gradientOf(make, await perturbedParts(engine, batch, parts));
  const distance = relativeDistance(accumulated, whole);
  return holds("the accumulated gradient is the full batch's", distance <= tolerance, { distance, parts });
}

/** The perturbation is live in every part: without it in any one of them, the gradient is another. */
export async function liveInEveryPart(
  { engine }: Pick<Bench, 'engine'>,
  make: MakeDefender,
  batch: PerturbedBatch,
  parts: number,
  margin = 1e-3,
): Promise<Figures> {
  const perturbed = await perturbedParts(engine, batch, parts);
  const all = await gradientOf(make, perturbed);
  let least = Infinity;
  for (const off of perturbed.keys()) {
    const without = perturbed.map((part, at) =>
      at === off ? { ...part, deltas: blank(engine, part) } : part,
    );
    least = Math.min(least, relativeDistance(await gradientOf(make, without), all));
  }
  return holds('the perturbation of every part takes effect', least >= margin, { least, margin, parts });
}

/** Saved, restored and continued equals never stopped, bit for bit. */
export async function resumesExactly(
  make: MakeDefender,
  steps: readonly (readonly DefendPart[])[],
): Promise<Figures> {
  const straight = make();
  for (const parts of steps) await straight.step(parts);
  let stopped = make();
  for (const parts of steps) {
    const state = await stopped.save();
    stopped = make();
    stopped.restore(state);
    await stopped.step(parts);
  }
  const [a, b] = [await straight.save(), await stopped.save()];
  let changed = a.updates === b.updates ? 0 : 1;
  for (const [name, { data }] of Object.entries(a.tensors))
    if (
      !Buffer.from(data.buffer).equals(
        Buffer.from((b.tensors[name] as (typeof a.tensors)[string]).data.buffer),
      )
    )
      changed += 1;
  return holds('a resumed defence equals one that never stopped', changed === 0, {
    changed,
    steps: steps.length,
  });
}

/** First moments after one update. */
async function gradientOf(make: MakeDefender, parts: readonly DefendPart[]): Promise<Float32Array> {
  const defender = make();
  await defender.step(parts);
  const { tensors } = await defender.save();
  const moments = Object.keys(tensors).filter((name) => name.startsWith('first/'));
  return Float32Array.from(moments.sort().flatMap((name) => [...(tensors[name]?.data ?? [])]));
}

/** The parts of a batch, each with its rows of the perturbation. */
export async function perturbedParts(
  engine: Engine,
  batch: PerturbedBatch,
  count: number,
): Promise<readonly DefendPart[]> {
  let row = 0;
  const parts: DefendPart[] = [];
  for (const part of partsOf(batch, count)) {
    const rows = part.pairs?.rows ?? 0;
    const deltas: Record<string, Value> = {};
    for (const [site, delta] of Object.entries(batch.deltas)) {
      const { data, shape, dtype } = await engine.download(delta);
      const each = sizeOf(shape.slice(1));
      deltas[site] = engine.upload({
        dtype,
        shape: [rows, ...shape.slice(1)],
        data: data.slice(row * each, (row + rows) * each),
      });
    }
    row += rows;
    parts.push({ ...part, deltas });
  }
  return parts;
}

function blank(engine: Engine, part: DefendPart): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(part.deltas ?? {}).map(([site, { shape }]) => [site, engine.upload(float32(shape))]),
  );
}
