/** @file What laws measure: perturbations as they arrive, logits, digests of weights, distances. Knows no law. */
import { createHash } from 'node:crypto';
import type { PackedBatch } from '../../datasets/index.js';
import {
  hiddenStates,
  logitsAt,
  ops,
  perturbing,
  type Definition,
  type Engine,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import { complain } from '../../foundation/index.js';
import {
  decoderWeights,
  feedOf,
  programName,
  vectorNorms,
  type BatchTensors,
  type Model,
  type ModelWeights,
  type Perturbation,
  type PerSite,
} from '../../operators/index.js';

/** Where an operator is tried: a model, its weights, and rows. */
export interface Bench {
  readonly engine: Engine;
  readonly model: Model;
  readonly weights: ModelWeights;
  readonly batch: PackedBatch;
}

/** What a law measured. */
export type Figures = Readonly<Record<string, number>>;

/** Throws where a law does not hold, with the figures that show it. @throws LAW_BROKEN */
export function holds(law: string, condition: boolean, figures: Figures): Figures {
  if (condition) return figures;
  return complain({
    code: 'LAW_BROKEN',
    owner: 'law',
    expected: law,
    got: JSON.stringify(figures),
    hint: 'mend the operator: training with it would not be what it claims to be',
  });
}

/** L2 norm of what each token receives, [B·T] for each site: what the model's hook adds to an activation of zero. */
export async function arrivals(
  { engine, batch }: Bench,
  { deltas, slots }: Pick<Perturbation, 'deltas' | 'slots'>,
): Promise<readonly Float32Array[]> {
  const definition: Definition<{ deltas: PerSite<Tensor>; slots: Tensor }> = {
    name: `law-arrivals:${Object.keys(deltas).join()}`,
    compute: (args) =>
      Object.fromEntries(
        Object.entries(args.deltas).map(([site, delta]) => {
          const zero = ops.zeros([batch.rows, batch.length, delta.shape[2] as number]);
          return [site, perturbing(args.deltas, args.slots)(site, zero)];
        }),
      ),
  };
  const placed = Object.values((await engine.run(definition, { deltas, slots })) as PerSite<Value>);
  return Promise.all(placed.map(async (value) => vectorNorms(await engine.download(value))));
}

/** Logits of every token, under a perturbation or without. [B·T·V] */
export async function allLogits(
  { engine, model, weights, batch }: Bench,
  deltas: PerSite<Value>,
): Promise<ArrayLike<number>> {
  type Args = { weights: ModelWeights<Tensor>; batch: BatchTensors; deltas: PerSite<Tensor> };
  const definition: Definition<Args> = {
    name: programName('law-logits', model, Object.keys(deltas)),
    compute: (args) => {
      const visit = perturbing(args.deltas, args.batch.slots);
      const hidden = hiddenStates(model, decoderWeights(model, args.weights), args.batch, visit);
      return logitsAt(model.config, args.weights.parameters, hidden);
    },
  };
  const logits = await engine.run(definition, { weights, batch: feedOf(engine, batch), deltas });
  return (await engine.download(logits as Value)).data;
}

/** A digest of every weight's bits. */
export async function weightDigests({ engine, weights }: Bench): Promise<readonly string[]> {
  const values = [...Object.values(weights.parameters), ...Object.values(weights.adapters)];
  const hosts = await Promise.all(values.map((value) => engine.download(value)));
  return hosts.map(({ data }) =>
    createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex'),
  );
}

/** Perturbations of consecutive rows as one list of numbers, site by site. */
export async function joined(engine: Engine, parts: readonly PerSite<Value>[]): Promise<Float32Array> {
  const numbers: number[] = [];
  for (const site of Object.keys(parts[0] ?? {}))
    for (const part of parts) numbers.push(...(await engine.download(part[site] as Value)).data);
  return Float32Array.from(numbers);
}

/** The largest absolute difference; infinite where lengths differ or a number is not one. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let at = 0; at < a.length; at++) {
    const gap = Math.abs((a[at] as number) - (b[at] as number));
    if (!(gap <= largest)) largest = Number.isNaN(gap) ? Infinity : gap;
  }
  return largest;
}

/** ‖a − b‖ / ‖b‖; infinite where lengths differ. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let [apart, size] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    apart += ((a[at] as number) - (b[at] as number)) ** 2;
    size += (b[at] as number) ** 2;
  }
  return apart === 0 ? 0 : Math.sqrt(apart / size);
}
