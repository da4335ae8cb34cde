/** @file Who sees whom: additive attention masks from position and segment ids, never from the row index. */
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import type { ModelConfig } from './model-config.js';

// B batch, T query token, S key token

/** Segment ids with a meaning to attention; every other id is a completion of its own. */
const PADDING = 0;
const PROMPT = 1;
/** Finite, so that a row that sees nothing (padding) stays finite. */
const HIDDEN = -1e9;

/** Position and segment ids, int32. */
export interface Places {
  readonly positions: Tensor;
  readonly segments: Tensor;
}

/**
 * The additive mask [B,1,T,S]: 0 where the query may look, −1e9 elsewhere. A key is visible at an earlier or the same
 * position, if it is no padding and belongs to the prompt or to the query's segment.
 * @param queries ids [B,T]. @param keys ids [B,S]. @param window null, or how many positions back a query sees.
 */
export function visibility(queries: Places, keys: Places, window: number | null): Tensor {
  const [rows, columns] = queries.positions.shape as [number, number];
  const length = keys.positions.shape[1] as number;
  const asked = (ids: Tensor): Tensor => ops.reshape(ids, [rows, 1, columns, 1]);
  const held = (ids: Tensor): Tensor => ops.reshape(ids, [rows, 1, 1, length]);
  const segments_B11S = held(keys.segments);
  const back_B1TS = ops.sub(asked(queries.positions), held(keys.positions));
  const shared_B1TS = ops.logicalOr(
    ops.equal(segments_B11S, ops.scalar(PROMPT, 'int32')),
    ops.equal(segments_B11S, asked(queries.segments)),
  );
  const present_B1TS = ops.logicalAnd(shared_B1TS, ops.notEqual(segments_B11S, ops.scalar(PADDING, 'int32')));
  let seen_B1TS = ops.logicalAnd(present_B1TS, ops.greaterEqual(back_B1TS, ops.scalar(0, 'int32')));
  if (window !== null)
    seen_B1TS = ops.logicalAnd(seen_B1TS, ops.less(back_B1TS, ops.scalar(window, 'int32')));
  return ops.mul(ops.sub(1, ops.cast(seen_B1TS, 'float32')), HIDDEN);
}

/** {@link visibility} by layer; layers with one window share one mask. */
export function visibilities(
  { attention }: Pick<ModelConfig, 'attention'>,
  queries: Places,
  keys: Places,
): (layer: number) => Tensor {
  const masks = new Map<number | null, Tensor>();
  return (layer) => {
    const window = attention[layer]?.window ?? null;
    const mask_B1TS = masks.get(window) ?? visibility(queries, keys, window);
    masks.set(window, mask_B1TS);
    return mask_B1TS;
  };
}
