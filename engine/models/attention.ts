/** @file Grouped-query attention without copies of keys and values. Depends on tensor operations only. */
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import { softCapped } from './soft-cap.js';

// B batch, T query token, S key token, H query heads, G key-value heads, R = H/G, K head width

/** Keys and values [B,G,S,K] of earlier tokens, with the additive mask [B,1,T,S] that hides some. */
export interface Past {
  readonly keys_BGSK: Tensor;
  readonly values_BGSK: Tensor;
  readonly mask_B1TS: Tensor;
}

/** What scores go through: their soft cap, and the earlier tokens that are attended to as well (their keys are not copied). */
export interface Attending {
  readonly softCap: number | null;
  readonly past?: Past;
}

/**
 * softmax(q·kᵀ + mask)·v; the scale is expected in the queries. Groups are folded into the query's token axis, so that
 * keys and values are never repeated.
 * @param mask_B1TT additive, over the new keys.
 * @returns [B,H,T,K].
 */
export function attention(
  q_BHTK: Tensor,
  k_BGTK: Tensor,
  v_BGTK: Tensor,
  mask_B1TT: Tensor,
  { softCap, past }: Attending,
): Tensor {
  const [rows, heads, columns, width] = q_BHTK.shape as [number, number, number, number];
  const groups = k_BGTK.shape[1] as number;
  const folded = [rows, groups, (heads / groups) * columns];
  const q_BGTK = ops.reshape(q_BHTK, [...folded, width]);
  const scores = (keys_BGSK: Tensor, mask_B1TS: Tensor): Tensor => {
    const length = keys_BGSK.shape[2] as number;
    const raw = ops.reshape(ops.matMul(q_BGTK, keys_BGSK, false, true), [rows, heads, columns, length]);
    return ops.add(softCapped(raw, softCap), mask_B1TS);
  };
  const read = (shares_BHTS: Tensor, values_BGSK: Tensor): Tensor =>
    ops.matMul(ops.reshape(shares_BHTS, [...folded, values_BGSK.shape[2] as number]), values_BGSK);
  const shape = [rows, heads, columns, width];
  if (!past) return ops.reshape(read(ops.softmax(scores(k_BGTK, mask_B1TT)), v_BGTK), shape);
  const held = past.keys_BGSK.shape[2] as number;
  const all = ops.softmax(
    ops.concat([scores(past.keys_BGSK, past.mask_B1TS), scores(k_BGTK, mask_B1TT)], -1),
  );
  const [before, now] = ops.split(all, [held, columns], 3) as [Tensor, Tensor];
  return ops.reshape(ops.add(read(before, past.values_BGSK), read(now, v_BGTK)), shape);
}
