/** @file A model on an engine as what adaptive attacks see of it: losses, slopes, activations, weights without a direction. */
import type { PackedBatch } from '../../../datasets/index.js';
import {
  blockPath,
  embeddingName,
  firstScale,
  float32,
  headName,
  hiddenStates,
  mergeAdapters,
  ops,
  perturbing,
  shrunk,
  siteNames,
  valueAndGradients,
  withoutDirection,
  type Definition,
  type Engine,
  type Tensor,
  type Value,
  type Visit,
} from '../../../engine/index.js';
import { feedOf, type BatchTensors, type LabelFeed } from '../../feed.js';
import { programName, type Model, type ModelWeights } from '../../model.js';
import { labelOdds } from '../../objectives/label-odds.js';
import { decoderWeights } from '../../objectives/pair-losses.js';
import type { PerSite } from '../../perturbation.js';
import { uploadScalars } from '../../scalars.js';
import type { Inside, Subject } from '../method.js';
import { changedWeights, type WeightChange } from './weight-change.js';

// B row, T column, P slot, N label, D width, V vocabulary

type Args = { readonly weights: ModelWeights<Tensor>; readonly batch: BatchTensors };

/** Makes a subject of a model with these weights. */
export type SubjectWith = (model: Model, weights: ModelWeights) => Subject;

/** @param base parameters before any training. */
export function insideOf(
  engine: Engine,
  model: Model,
  weights: () => ModelWeights,
  base: PerSite<Value>,
  subjectWith: SubjectWith,
): Inside {
  return {
    async rowLosses(batch) {
      const found = await engine.run(labelLossesProgram(model), {
        weights: weights(),
        batch: feedOf(engine, batch),
      });
      return byRow(batch, (await engine.download(found.losses)).data);
    },
    tokenSlopes: (batch) => tokenSlopes(engine, model, weights(), batch),
    async states(batch, of) {
      const asked = of === 'own' ? weights() : { parameters: base, adapters: {} };
      const program = statesProgram(model, residualSites(model));
      const found = await engine.run(program, { weights: asked, batch: feedOf(engine, batch) });
      return Promise.all(
        residualSites(model).map(async (site) => {
          const { data } = await engine.download(found[site] as Value);
          // Labels beyond those of the rows are padding.
          return (data as Float32Array).subarray(0, batch.rows * model.config.width);
        }),
      );
    },
    async without(direction) {
      const { parameters, adapters } = weights();
      const args = {
        weights: { parameters, adapters },
        direction: engine.upload(float32([direction.length], direction)),
      };
      const changed = await engine.run(withoutDirectionProgram(model), args);
      const { config } = model;
      // The head is no part of the stream: where it is the embedding matrix, it stays what that was.
      const head = config.tied
        ? { [headName(config.modules)]: parameters[embeddingName(config.modules)] as Value }
        : {};
      const own = { parameters: { ...parameters, ...head, ...changed }, adapters: {} };
      return subjectWith({ config: { ...config, tied: false } }, own);
    },
    changed: async (change) =>
      subjectWith(
        { config: model.config },
        { parameters: await changedParameters(engine, model, weights(), change), adapters: {} },
      ),
  };
}

/** All parameters, with the matrices of blocks changed, adapters merged into them. */
async function changedParameters(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  change: WeightChange,
): Promise<PerSite<Value>> {
  const { parameters, adapters } = weights;
  const adapted = Object.keys(adapters).length > 0;
  const merged = adapted ? await engine.run(mergedProgram(model), { weights: { parameters, adapters } }) : {};
  const own: Record<string, Value> = { ...parameters, ...merged };
  const { modules, layers } = model.config;
  for (let layer = 0; layer < layers; layer++)
    for (const { path, outputs, inputsFirst } of modules.linears) {
      const name = `${blockPath(modules, layer)}.${path}.weight`;
      const { shape, data } = await engine.download(own[name] as Value);
      const matrix = { name, data: data as Float32Array, outputs, inputsFirst };
      own[name] = engine.upload(float32(shape, changedWeights(matrix, change)));
    }
  return own;
}

/** Cross-entropy [N] of the labels. */
function labelLosses(model: Model, { weights, batch }: Args, visit?: Visit): Tensor {
  const { index, tokens } = batch.labels['desired'] as LabelFeed<Tensor>;
  const hidden = hiddenStates(model, decoderWeights(model, weights), batch, visit);
  return ops.softplus(
    ops.neg(labelOdds(model.config, weights.parameters, ops.gather(hidden, index), tokens)),
  );
}

function labelLossesProgram(model: Model): Definition<Args, { readonly losses: Tensor }> {
  return {
    name: programName('label-losses', model, []),
    compute: (args) => ({ losses: labelLosses(model, args) }),
  };
}

/** Means over each row's labels. */
function byRow({ rows, length, labels }: PackedBatch, losses: ArrayLike<number>): Float32Array {
  const [sums, counts] = [new Float64Array(rows), new Float64Array(rows)];
  const { index = [], weights = [] } = labels.desired ?? {};
  weights.forEach((weight, label) => {
    if (weight === 0) return;
    const row = Math.floor((index[label] as number) / length);
    sums[row] = (sums[row] as number) + (losses[label] as number);
    counts[row] = (counts[row] as number) + 1;
  });
  return Float32Array.from(sums, (sum, row) => sum / (counts[row] as number));
}

/** Slopes [B·P·V], computed again with half the scale where they are too large for 16 bits. */
async function tokenSlopes(
  engine: Engine,
  model: Model,
  weights: ModelWeights,
  batch: PackedBatch,
): Promise<Float32Array> {
  const delta = engine.upload(float32([batch.rows, batch.slotCount, model.config.width]));
  const args = { weights, batch: feedOf(engine, batch), delta };
  for (let scale = engine.lossScale && firstScale(engine.lossScale); ;) {
    const scaled = scale && uploadScalars(engine, { scale: scale.scale });
    const { slopes } = await engine.run(tokenSlopesProgram(model), { ...args, ...scaled });
    const { data } = await engine.download(slopes);
    const smaller = scale && !data.every(Number.isFinite) ? shrunk(scale) : undefined;
    if (!smaller) return data as Float32Array;
    scale = smaller;
  }
}

/** `scale`: on the loss while it is differentiated, and on what is multiplied with the embeddings after that. */
type SlopeArgs = Args & { readonly delta: Tensor; readonly scale?: Tensor };

function tokenSlopesProgram(model: Model): Definition<SlopeArgs, { readonly slopes: Tensor }> {
  const { modules, embeddingScale, width } = model.config;
  return {
    name: programName('token-slopes', model, []),
    compute: ({ delta, scale, ...args }) => {
      const { weights: share } = args.batch.labels['desired'] as LabelFeed<Tensor>;
      const { gradients } = valueAndGradients(
        (deltas) => {
          const losses = labelLosses(model, args, perturbing(deltas, args.batch.slots));
          return { loss: ops.sum(ops.mul(share, losses)), aux: {} };
        },
        { embedding: delta },
        scale,
      );
      const embeddings_VD = args.weights.parameters[embeddingName(modules)] as Tensor;
      const gradient_ND = ops.reshape(gradients['embedding'] as Tensor, [-1, width]);
      // The gradient is an operand once more, and as small as any: it is scaled again for that.
      const scaled_ND = scale ? ops.mul(gradient_ND, scale) : gradient_ND;
      const slopes_NV = ops.mul(ops.matMul(scaled_ND, embeddings_VD, false, true), embeddingScale);
      return { slopes: scale ? ops.div(slopes_NV, scale) : slopes_NV };
    },
  };
}

function residualSites({ config }: Model): string[] {
  return siteNames(config).filter((site) => site.endsWith('.residual'));
}

function statesProgram(model: Model, sites: readonly string[]): Definition<Args, PerSite<Tensor>> {
  return {
    name: programName('states', model, []),
    compute: ({ weights, batch }) => {
      const { index } = batch.labels['desired'] as LabelFeed<Tensor>;
      const states: Record<string, Tensor> = {};
      hiddenStates(model, decoderWeights(model, weights), batch, (site, x_BTD) => {
        if (sites.includes(site))
          states[site] = ops.gather(ops.reshape(x_BTD, [-1, model.config.width]), index);
        return x_BTD;
      });
      return states;
    },
  };
}

/** Matrices that have adapters, these merged into them. */
function mergedProgram(
  model: Model,
): Definition<{ readonly weights: ModelWeights<Tensor> }, PerSite<Tensor>> {
  return {
    name: programName('merged', model, []),
    compute: ({ weights }) => {
      const merged = mergeAdapters(model.config, decoderWeights(model, weights));
      return Object.fromEntries(
        Object.entries(merged).filter(([name, matrix]) => matrix !== weights.parameters[name]),
      );
    },
  };
}

/** What changes of the parameters, adapters merged. */
function withoutDirectionProgram(
  model: Model,
): Definition<{ readonly weights: ModelWeights<Tensor>; readonly direction: Tensor }, PerSite<Tensor>> {
  return {
    name: programName('without-direction', model, []),
    compute: ({ weights, direction }) => {
      const merged = mergeAdapters(model.config, decoderWeights(model, weights));
      const adapted = Object.keys(merged).filter((name) => merged[name] !== weights.parameters[name]);
      return {
        ...Object.fromEntries(adapted.map((name) => [name, merged[name] as Tensor])),
        ...withoutDirection(model.config, merged, direction),
      };
    },
  };
}
