/** @file From a stream to the heads of attention: projections, their norms, positions. Depends on tensor operations only. */
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import type { ModelConfig } from './model-config.js';
import type { Linear, Role } from './modules.js';
import { rotateLeading, rotation, scaled, type Rotation } from './rope.js';

// B batch, T token, N = B·T, H query heads, G key-value heads, K head width

/** Queries, keys and values [N, heads·K] as their modules give them. */
export interface Projected {
  readonly q_ND: Tensor;
  readonly k_ND: Tensor;
  readonly v_ND: Tensor;
}

/** Queries, keys and values from separate modules or from a fused one. @param apply what a linear module gives. */
export function projected(config: ModelConfig, apply: (linear: Linear) => Tensor): Projected {
  const of = (role: Role): Linear | undefined => config.modules.linears.find((each) => each.role === role);
  const fused = of('qkv');
  if (fused) return config.modules.headwise ? headwise(config, apply(fused)) : inBlocks(config, apply(fused));
  const [q, k, v] = [of('q'), of('k'), of('v')] as [Linear, Linear, Linear];
  return { q_ND: apply(q), k_ND: apply(k), v_ND: apply(v) };
}

/** All queries, then all keys, then all values. */
function inBlocks({ heads, keyValueHeads, headWidth }: ModelConfig, fused_NE: Tensor): Projected {
  const widths = [heads, keyValueHeads, keyValueHeads].map((count) => count * headWidth);
  const [q_ND, k_ND, v_ND] = ops.split(fused_NE, widths, 1) as [Tensor, Tensor, Tensor];
  return { q_ND, k_ND, v_ND };
}

/** Query, key and value of the first head, then of the second, and so on. */
function headwise({ heads, headWidth }: ModelConfig, fused_NE: Tensor): Projected {
  const size = fused_NE.shape[0];
  const parts_NH1K = ops.split(ops.reshape(fused_NE, [size, heads, 3, headWidth]), 3, 2);
  const [q_ND, k_ND, v_ND] = parts_NH1K.map((part) => ops.reshape(part, [size, heads * headWidth])) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  return { q_ND, k_ND, v_ND };
}

/** Puts positions into queries [B,H,T,K], which it also scales for a layer, and into keys [B,G,T,K]. */
export interface Positioned {
  readonly query: (layer: number, q_BHTK: Tensor) => Tensor;
  readonly key: (k_BGTK: Tensor) => Tensor;
}

/** Rotations are made once for all layers. @param positions_BT int32. */
export function positioned({ rope, attention }: ModelConfig, positions_BT: Tensor): Positioned {
  const scaleOf = (layer: number): number => attention[layer]?.scale ?? 1;
  if (rope === null)
    return {
      query: (layer, q_BHTK) => (scaleOf(layer) === 1 ? q_BHTK : ops.mul(q_BHTK, scaleOf(layer))),
      key: (k_BGTK) => k_BGTK,
    };
  const keys = rotation(rope, positions_BT);
  const queries = new Map<number, Rotation>();
  const queryRotation = (scale: number): Rotation => {
    const known = queries.get(scale) ?? scaled(keys, scale);
    queries.set(scale, known);
    return known;
  };
  return {
    query: (layer, q_BHTK) => rotateLeading(q_BHTK, queryRotation(scaleOf(layer)), scaleOf(layer)),
    key: (k_BGTK) => rotateLeading(k_BGTK, keys, 1),
  };
}
