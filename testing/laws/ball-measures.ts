/** @file Norms of a perturbation as a ball declares them, measured without the operator's help. Knows no law. */
import {
  hiddenStates,
  ops,
  residualOf,
  type Definition,
  type Grouping,
  type HostTensor,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import {
  attackedSlots,
  decoderWeights,
  feedOf,
  programName,
  vectorNorms,
  type BatchTensors,
  type ModelWeights,
  type PerSite,
  type Whitening,
} from '../../operators/index.js';
import type { Bench } from './law-measures.js';

/** The ball that an operator declares: what ε bounds, and in which units. By default a token's vector, in those of activations. */
export interface Ball {
  readonly per?: Grouping;
  /** `relative`: ε is a fraction of the geometric mean norm of the residual stream over the row's attacked tokens. */
  readonly radius?: 'absolute' | 'relative';
  /** ε bounds the norm along these components, in their lengths. */
  readonly whitening?: Whitening<HostTensor>;
}

/**
 * Norms of a perturbation, measured as a ball declares it, one for each group that has an attacked token, by site.
 * @returns `outside`: the largest share of a vector that no component accounts for; 0 without whitening.
 */
export async function ballNorms(
  bench: Bench,
  deltas: PerSite<Value>,
  { per = 'token', radius = 'absolute', whitening }: Ball,
): Promise<{ readonly norms: PerSite<readonly number[]>; readonly outside: number }> {
  const { engine, batch } = bench;
  const attacked = attackedSlots(batch);
  const norms: Record<string, number[]> = {};
  let outside = 0;
  for (const [site, delta] of Object.entries(deltas)) {
    const vectors = await engine.download(delta);
    const units = radius === 'relative' ? await rowUnits(bench, site) : undefined;
    const measured = whitening ? alongComponents(vectors, whitening[site] as HostTensor) : undefined;
    const lengths = measured?.lengths ?? vectorNorms(vectors);
    outside = Math.max(outside, measured?.outside ?? 0);
    norms[site] = Array.from({ length: batch.rows }, (_, row) => {
      const own = [...lengths.subarray(row * batch.slotCount, (row + 1) * batch.slotCount)];
      const used = own.filter((_, slot) => attacked[row * batch.slotCount + slot] === 1);
      const groups = per === 'token' ? used : used.length === 0 ? [] : [Math.hypot(...used)];
      return groups.map((norm) => norm / (units?.[row] ?? 1));
    }).flat();
  }
  return { norms, outside };
}

/** Geometric mean norm of the residual stream after a site's block over each row's attacked tokens. */
async function rowUnits({ engine, model, weights, batch }: Bench, site: string): Promise<number[]> {
  type Args = { weights: ModelWeights<Tensor>; batch: BatchTensors };
  const definition: Definition<Args, { readonly norms: Tensor }> = {
    name: programName('law-units', model, site),
    compute: (args) => {
      let norms: Tensor | undefined;
      hiddenStates(model, decoderWeights(model, args.weights), args.batch, (at, x_BTD) => {
        if (at === residualOf(site)) norms = ops.sqrt(ops.sum(ops.square(x_BTD), -1));
        return x_BTD;
      });
      return { norms: norms as Tensor };
    },
  };
  const { norms } = await engine.run(definition, { weights, batch: feedOf(engine, batch) });
  const { data } = await engine.download(norms);
  return Array.from({ length: batch.rows }, (_, row) => {
    const tokens = Array.from({ length: batch.length }, (_, column) => row * batch.length + column);
    const used = tokens.filter((at) => (batch.slots[at] as number) >= 0);
    const logs = used.reduce((sum, at) => sum + Math.log(Math.max(data[at] as number, 1e-12)), 0);
    return Math.exp(logs / Math.max(used.length, 1));
  });
}

/** Each vector's norm in lengths of components [K, D], and the largest share of a vector that they do not account for. */
function alongComponents(
  { data, shape }: HostTensor,
  components: HostTensor,
): { readonly lengths: Float32Array; readonly outside: number } {
  const width = shape.at(-1) as number;
  const lengths = new Float32Array(data.length / width);
  const squares = [...vectorNorms(components)].map((norm) => norm ** 2);
  let outside = 0;
  lengths.forEach((_, vector) => {
    const rest = Float64Array.from(data.subarray(vector * width, (vector + 1) * width));
    const size = Math.hypot(...rest);
    const along = squares.map((square, at) => {
      const component = components.data.subarray(at * width, (at + 1) * width);
      let part = 0;
      component.forEach((value, d) => (part += (value * (rest[d] as number)) / square));
      component.forEach((value, d) => (rest[d] = (rest[d] as number) - part * value));
      return part;
    });
    lengths[vector] = Math.hypot(...along);
    if (size > 0) outside = Math.max(outside, Math.hypot(...rest) / size);
  });
  return { lengths, outside };
}
