/**
 * @file Principal components of a model's activations, for whitened attacks: a function of weights and batches, so that a
 * resumed run, which makes them anew, gets the same.
 */
import type { PackedBatch } from '../../datasets/index.js';
import {
  float32,
  hiddenStates,
  ops,
  type Definition,
  type Engine,
  type HostTensor,
  type Tensor,
} from '../../engine/index.js';
import { complain, symmetricEigen } from '../../foundation/index.js';
import type { Whitening } from './adversary.js';
import { attackedSites } from './plan.js';
import type { AttackConfig } from '../config.js';
import { feedOf, type BatchTensors } from '../feed.js';
import { programName, type Model, type ModelWeights } from '../model.js';
import { decoderWeights } from '../objectives/pair-losses.js';
import type { PerSite } from '../perturbation.js';

/** Components whose variance is smaller than this share of the largest are rounding, not directions of the activations. */
const LEAST_VARIANCE = 1e-6;

/** Sums over tokens: of the activations [1, D], and of their products with each other [D, D]. */
interface Sums {
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/**
 * The components of the activations of attacked tokens, by site: [K, D], rows are principal axes of the covariance, the
 * largest first, each as long as the standard deviation along it.
 * @param batches that the covariance is taken over.
 * @param components K at most; all that have a variance if not given.
 * @throws SITE_UNKNOWN; WHITENING_EMPTY where the activations of a site do not vary.
 */
export async function whiten(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  sites: AttackConfig['sites'],
  batches: AsyncIterable<PackedBatch> | Iterable<PackedBatch>,
  components = Infinity,
): Promise<Whitening<HostTensor>> {
  const names = attackedSites(model, sites);
  const program = sumsProgram(model, names);
  const sums = new Map<string, Sums>();
  let tokens = 0;
  for await (const batch of batches) {
    const results = await engine.run(program, { weights, batch: feedOf(engine, batch) });
    for (const site of names) {
      const { first, second } = results[site] as { readonly first: never; readonly second: never };
      const parts = [await engine.download(first), await engine.download(second)] as const;
      sums.set(site, added(sums.get(site), parts));
    }
    tokens += batch.slots.reduce((count, slot) => count + (slot >= 0 ? 1 : 0), 0);
  }
  return Object.fromEntries(
    names.map((site) => [site, principal(site, sums.get(site), Math.max(tokens, 1), components)]),
  );
}

function sumsProgram(
  model: Model,
  sites: readonly string[],
): Definition<
  { readonly weights: ModelWeights<Tensor>; readonly batch: BatchTensors },
  PerSite<Readonly<Record<'first' | 'second', Tensor>>>
> {
  return {
    name: programName('whiten', model, sites),
    compute: ({ weights, batch }) => {
      const sums: Record<string, Readonly<Record<'first' | 'second', Tensor>>> = {};
      const attacked_N1 = ops.reshape(ops.cast(ops.greaterEqual(batch.slots, 0), 'float32'), [-1, 1]);
      hiddenStates(model, decoderWeights(model, weights), batch, (site, x_BTD) => {
        if (sites.includes(site)) {
          const x_ND = ops.mul(ops.reshape(x_BTD, [-1, x_BTD.shape[2] as number]), attacked_N1);
          sums[site] = { first: ops.sum(x_ND, 0, true), second: ops.matMul(x_ND, x_ND, true) };
        }
        return x_BTD;
      });
      return sums;
    },
  };
}

function added(before: Sums | undefined, [first, second]: readonly [HostTensor, HostTensor]): Sums {
  const sum = (old: Float64Array | undefined, fresh: HostTensor): Float64Array =>
    Float64Array.from(fresh.data, (value, at) => value + (old?.[at] ?? 0));
  return { first: sum(before?.first, first), second: sum(before?.second, second) };
}

function principal(site: string, sums: Sums | undefined, tokens: number, most: number): HostTensor {
  const { first = new Float64Array(), second = new Float64Array() } = sums ?? {};
  const width = first.length;
  const covariance = second.map((value, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    return value / tokens - ((first[row] as number) * (first[column] as number)) / tokens ** 2;
  });
  const { values, vectors } = symmetricEigen(covariance, width);
  const largest = values[0] ?? 0;
  const kept = values.filter((value) => value > LEAST_VARIANCE * largest).slice(0, most).length;
  if (!(largest > 0) || kept === 0)
    return complain({
      code: 'WHITENING_EMPTY',
      owner: `whitening of ${site}`,
      expected: 'activations that vary from token to token',
      got: `${tokens} tokens without any variance`,
      hint: 'use more batches, or batches with attacked tokens',
    });
  const data = Float32Array.from({ length: kept * width }, (_, at) => {
    return (vectors[at] as number) * Math.sqrt(values[Math.floor(at / width)] as number);
  });
  return float32([kept, width], data);
}
