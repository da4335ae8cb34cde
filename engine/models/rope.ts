/** @file Rotary position embeddings, computed from position ids. Depends on tensor operations only. */
import type { GradSaveFunc } from '@tensorflow/tfjs';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import type { Rope } from './rope-config.js';
import { changesWithLength, inverseFrequencies } from './rope-frequencies.js';

// B batch, T token, H heads, K head width, R ≤ K rotated width, h = R/2

/** cos and sin tables [B,1,T,R]; the first half of the sines is negative. */
export interface Rotation {
  readonly cos_B1TK: Tensor;
  readonly sin_B1TK: Tensor;
}

/** The rotation of every token. @param positions_BT int32. */
export function rotation(rope: Rope, positions_BT: Tensor): Rotation {
  const [rows, columns] = positions_BT.shape as [number, number];
  const angle_B1Th = ops.mul(
    ops.cast(ops.reshape(positions_BT, [rows, 1, columns, 1]), 'float32'),
    frequencies(rope, positions_BT),
  );
  const cos = ops.cos(angle_B1Th);
  const sin = ops.sin(angle_B1Th);
  const plain = { cos_B1TK: ops.concat([cos, cos], -1), sin_B1TK: ops.concat([ops.neg(sin), sin], -1) };
  return rope.attentionFactor === 1 ? plain : scaled(plain, rope.attentionFactor);
}

/** [h], or [B,1,1,h] where they depend on how long each row is: its last position counts. */
function frequencies(rope: Rope, positions_BT: Tensor): Tensor {
  const { scaling, dimensions } = rope;
  const short_h = ops.tensor1d(inverseFrequencies(rope));
  if (!scaling || !changesWithLength(scaling)) return short_h;
  const rows = positions_BT.shape[0];
  const last_B111 = ops.reshape(ops.max(ops.cast(positions_BT, 'float32'), 1), [rows, 1, 1, 1]);
  const length_B111 = ops.add(last_B111, 1);
  const original = scaling.originalContextLength;
  if (scaling.kind === 'longrope') {
    const long_h = ops.tensor1d(inverseFrequencies(rope, original + 1));
    const isLong_B111 = ops.cast(ops.greater(length_B111, original), 'float32');
    return ops.add(ops.mul(long_h, isLong_B111), ops.mul(short_h, ops.sub(1, isLong_B111)));
  }
  // θ′ = θ·(factor·length/original − factor + 1)^(d/(d−2)), and frequency i is θ′^(−2i/d).
  const over_B111 = ops.maximum(ops.div(length_B111, original), 1);
  const growth_B111 = ops.sub(ops.mul(over_B111, scaling.factor), scaling.factor - 1);
  const exponents = Float32Array.from(
    { length: short_h.size },
    (_, index) => (-2 * index) / (dimensions - 2),
  );
  return ops.mul(short_h, ops.pow(growth_B111, ops.tensor1d(exponents)));
}

/** The same rotation followed by a multiplication: attention's 1/√K costs nothing this way. */
export function scaled(by: Rotation, factor: number): Rotation {
  return { cos_B1TK: ops.mul(by.cos_B1TK, factor), sin_B1TK: ops.mul(by.sin_B1TK, factor) };
}

/** Rotates the leading R dimensions of [B,H,T,K]; the others are multiplied by `rest`. */
export function rotateLeading(x_BHTK: Tensor, by: Rotation, rest: number): Tensor {
  const [rows, heads, columns, width] = x_BHTK.shape as [number, number, number, number];
  const rotated = by.cos_B1TK.shape[3] as number;
  if (rotated === width) return rotate(x_BHTK, by);
  const part = (from: number, to: number): Tensor =>
    ops.slice(x_BHTK, [0, 0, 0, from], [rows, heads, columns, to - from]);
  return ops.concat([rotate(part(0, rotated), by), ops.mul(part(rotated, width), rest)], -1);
}

/** Rotates [B,H,T,K] halves against each other; its gradient is the rotation by the opposite angle. */
export function rotate(x_BHTK: Tensor, { cos_B1TK, sin_B1TK }: Rotation): Tensor {
  return ops.customGrad((x, save) => {
    (save as GradSaveFunc)([cos_B1TK, sin_B1TK]);
    return {
      value: turn(x as Tensor, cos_B1TK, sin_B1TK),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [cos, sin] = saved as [Tensor, Tensor];
        return turn(dy, cos, ops.neg(sin));
      },
    };
  })(x_BHTK);
}

function turn(x_BHTK: Tensor, cos_B1TK: Tensor, sin_B1TK: Tensor): Tensor {
  return ops.add(ops.mul(x_BHTK, cos_B1TK), ops.mul(swapHalves(x_BHTK), sin_B1TK));
}

function swapHalves(x_BHTK: Tensor): Tensor {
  const [rows, heads, columns, width] = x_BHTK.shape as [number, number, number, number];
  const half = [rows, heads, columns, width / 2];
  return ops.concat(
    [ops.slice(x_BHTK, [0, 0, 0, width / 2], half), ops.slice(x_BHTK, [0, 0, 0, 0], half)],
    -1,
  );
}
