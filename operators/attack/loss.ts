/** @file An attack's objective under a given perturbation: of a whole batch, and row by row. No update. */
import type { PackedBatch } from '../../datasets/index.js';
import {
  float32,
  int32,
  ops,
  valueAndGradients,
  type Definition,
  type Engine,
  type Tensor,
  type Value,
} from '../../engine/index.js';
import type { AttackFixed } from './iteration.js';
import { attackCoefficients } from './plan.js';
import { comparisonOf } from '../objectives/comparison.js';
import type { AttackObjective } from '../config.js';
import { feedOf, type BatchTensors, type LabelFeed } from '../feed.js';
import { programName, type Model, type ModelWeights } from '../model.js';
import { pairLosses, weighted } from '../objectives/pair-losses.js';
import { ATTACK_AIMS, compares, type PairLoss } from '../objectives/pair-objectives.js';
import type { PerSite } from '../perturbation.js';
import { uploadScalars } from '../scalars.js';

type Objective<T = Tensor> = Pick<AttackFixed<T>, 'weights' | 'batch' | 'coefficients' | 'comparison'>;
type Args<T = Tensor> = Objective<T> & { readonly deltas: PerSite<T> };

/**
 * An attack's objective on a batch, without any update. Losses that compare do so with `weights` without adapters.
 * @param deltas a perturbation, or none for the model as it is.
 */
export async function attackLoss(
  engine: Engine,
  model: Model,
  config: AttackObjective,
  weights: ModelWeights,
  batch: PackedBatch,
  deltas: PerSite<Value> = {},
): Promise<number> {
  const { losses, args } = await objectiveOf(engine, model, config, weights, batch);
  const definition: Definition<Args> = {
    name: programName('attack-loss', model, [Object.keys(deltas), losses]),
    compute: (args) =>
      weighted(
        pairLosses(model, args.weights, args.batch, args.deltas, ATTACK_AIMS, losses, args.comparison),
        args.coefficients,
      ),
  };
  const loss = (await engine.run(definition, { ...args, deltas })) as Value;
  return (await engine.download(loss)).data[0] as number;
}

/** {@link attackLoss} row by row, [B]. */
export async function attackRowLosses(
  engine: Engine,
  model: Model,
  config: AttackObjective,
  weights: ModelWeights,
  batch: PackedBatch,
  deltas: PerSite<Value>,
): Promise<Float32Array> {
  const { losses, args } = await objectiveOf(engine, model, config, weights, batch);
  const definition: Definition<Args & { readonly labelRows: LabelRows }> = {
    name: programName('attack-row-losses', model, [Object.keys(deltas), losses]),
    compute: (args) => rowLosses(model, args, losses),
  };
  const rows = await engine.run(definition, { ...args, deltas, labelRows: labelRows(engine, batch) });
  return Float32Array.from((await engine.download(rows as Value)).data);
}

async function objectiveOf(
  engine: Engine,
  model: Model,
  config: AttackObjective,
  weights: ModelWeights,
  batch: PackedBatch,
): Promise<{ readonly losses: readonly PairLoss[]; readonly args: Objective<Value> }> {
  const coefficients = attackCoefficients(config);
  const losses = [...coefficients.keys()];
  const feed = feedOf(engine, batch);
  const aimed = { aims: ATTACK_AIMS, names: losses, objectives: config.objectives };
  const args = {
    weights,
    batch: feed,
    comparison: await comparisonOf(engine, model, weights.parameters, batch, feed, aimed),
    coefficients: uploadScalars(engine, Object.fromEntries(coefficients)),
  };
  return { losses, args };
}

/** For each label, the row of the state that predicts it. int32 [N] by completion */
export type LabelRows<T = Tensor> = Readonly<Record<string, T>>;

/** {@link LabelRows} of a batch. */
export function labelRows(engine: Engine, batch: PackedBatch): LabelRows<Value> {
  return Object.fromEntries(
    Object.entries(batch.labels).map(([name, { index }]) => [
      name,
      engine.upload(int32([index.length], index.map((at) => Math.floor(at / batch.length)))), // prettier-ignore
    ]),
  );
}

/**
 * The objective row by row, [B]: their sum is the batch's. Losses are weighted sums over labels, or means over rows; so a
 * row's part is the derivative for a factor on the weights of its labels, or on the row's own. Between a loss and these factors
 * there is no product in 16 bits, so that it needs no scale.
 */
export function rowLosses(
  model: Model,
  args: Args & { readonly labelRows: LabelRows },
  losses: readonly PairLoss[],
): Tensor {
  const { weights, batch, deltas, comparison } = args;
  const rows = batch.tokens.shape[0];
  const { gradients } = valueAndGradients(
    ({ factors }) => {
      const rowFactors = factors as Tensor;
      const labels = Object.entries(batch.labels).map(([name, labels]): [string, LabelFeed<Tensor>] => {
        const own = ops.gather(rowFactors, args.labelRows[name] as Tensor);
        return [name, { ...labels, weights: ops.mul(labels.weights, own) }];
      });
      const byLabel: BatchTensors = { ...batch, labels: Object.fromEntries(labels) };
      const byRow: BatchTensors = { ...batch, rowWeight: ops.mul(batch.rowWeight, rowFactors) };
      const among = (names: readonly PairLoss[], scaled: BatchTensors): Record<string, Tensor> =>
        names.length === 0 ? {} : pairLosses(model, weights, scaled, deltas, ATTACK_AIMS, names, comparison);
      const parts = {
        ...among(losses.filter((name) => !compares(name)), byLabel), // prettier-ignore
        ...among(losses.filter(compares), byRow),
      };
      return { loss: weighted(parts, args.coefficients), aux: {} };
    },
    { factors: ops.ones([rows]) },
  );
  return gradients['factors'] as Tensor;
}

/** Each row's share of the labels' weights, mean over the label sets. float32 [B] */
export function rowShares(batch: PackedBatch): ReturnType<typeof float32> {
  const shares = new Float32Array(batch.rows);
  const sets = Object.values(batch.labels);
  for (const { index, weights } of sets)
    index.forEach((at, label) => {
      const row = Math.floor(at / batch.length);
      shares[row] = (shares[row] as number) + (weights[label] as number) / sets.length;
    });
  return float32([batch.rows], shares);
}
