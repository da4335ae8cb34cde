/** @file A packed batch as arguments of tensor programs. Knows the engine and batches; nothing about models or losses. */
import { SEGMENT, type LabelSet, type PackedBatch } from '../datasets/index.js';
import { float32, int32, type Engine, type Tensor, type Value } from '../engine/index.js';

/** Label set arguments: `index` [N], `tokens` [N] int32, `weights` [N] float32. */
export type LabelFeed<T = Value> = { readonly index: T; readonly tokens: T; readonly weights: T };

/** Batch arguments; `tokens`, `positions`, `segments`, `slots` are int32 [B, T]. */
export type BatchFeed<T = Value> = {
  readonly tokens: T;
  readonly positions: T;
  readonly segments: T;
  readonly slots: T;
  /** A row's share in means over the whole batch's rows. float32 scalar */
  readonly rowWeight: T;
  readonly labels: Readonly<Record<string, LabelFeed<T>>>;
};

/** {@link BatchFeed} inside a program. */
export type BatchTensors = BatchFeed<Tensor>;

/**
 * Uploads a batch.
 * @param options.anchors adds a label set `anchors`: the positions of the desired completion's own tokens, where
 * the published KL term compares models (not shifted to the states that predict them).
 */
export function feedOf(
  engine: Engine,
  batch: PackedBatch,
  options: { readonly anchors?: boolean } = {},
): BatchFeed {
  const shape = [batch.rows, batch.length];
  const sets: Readonly<Record<string, LabelSet>> = {
    ...batch.labels,
    ...(options.anchors ? { anchors: anchorsOf(batch) } : {}),
  };
  return {
    tokens: engine.upload(int32(shape, batch.tokens)),
    positions: engine.upload(int32(shape, batch.positions)),
    segments: engine.upload(int32(shape, batch.segments)),
    slots: engine.upload(int32(shape, batch.slots)),
    rowWeight: engine.upload(float32([], [batch.rowWeight])),
    labels: Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, labelFeed(engine, set)])),
  };
}

function labelFeed(engine: Engine, set: LabelSet): LabelFeed {
  const shape = [set.index.length];
  return {
    index: engine.upload(int32(shape, set.index)),
    tokens: engine.upload(int32(shape, set.tokens)),
    weights: engine.upload(float32(shape, set.weights)),
  };
}

/** The desired completion's own columns; each weighs what a label of the whole batch weighs. */
function anchorsOf(batch: PackedBatch): LabelSet {
  const labels = batch.labels.desired;
  const columns = [...batch.segments.keys()].filter((at) => batch.segments[at] === SEGMENT.desired);
  const size = Math.max(columns.length, labels?.index.length ?? 1);
  const weight = labels?.weights.find((value) => value !== 0) ?? 0;
  const index = new Int32Array(size);
  const tokens = new Int32Array(size);
  const weights = new Float32Array(size);
  columns.forEach((column, at) => {
    index[at] = column;
    tokens[at] = batch.tokens[column] as number;
    weights[at] = weight;
  });
  return { index, tokens, weights };
}

/** Vectors of a perturbation that some token receives: 1, else 0. float32 [B, P] */
export function attackedSlots(batch: PackedBatch): Float32Array {
  const used = new Float32Array(batch.rows * batch.slotCount);
  batch.slots.forEach((slot, at) => {
    if (slot >= 0) used[Math.floor(at / batch.length) * batch.slotCount + slot] = 1;
  });
  return used;
}
