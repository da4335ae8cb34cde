/** @file Rotary position embeddings, computed from position ids. Depends on tensor operations only. */
import type { GradSaveFunc } from '@tensorflow/tfjs';
import * as ops from '../ops.js';
import type { Tensor } from '../ops.js';
import type { ModelConfig } from './config.js';

// B batch, T token, H heads, K head width, h = K/2

/** cos and sin tables [B,1,T,K]; the first half of the sines is negative. */
export interface Rotation {
  readonly cos_B1TK: Tensor;
  readonly sin_B1TK: Tensor;
}

/** Inverse frequencies, K/2 of them, scaled as the configuration says (transformers' `default`, `linear`, `llama3`). */
export function inverseFrequencies({ rope, headWidth }: ModelConfig): Float32Array {
  const { theta, scaling } = rope;
  return Float32Array.from({ length: headWidth / 2 }, (_, index) => {
    const frequency = 1 / theta ** ((2 * index) / headWidth);
    if (scaling === null) return frequency;
    if (scaling.kind === 'linear') return frequency / scaling.factor;
    const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength } = scaling;
    const turns = (originalContextLength * frequency) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return (1 - kept) * (frequency / factor) + kept * frequency;
  });
}

/** The rotation of every token. @param positions_BT int32. */
export function rotation(config: ModelConfig, positions_BT: Tensor): Rotation {
  const [rows, columns] = positions_BT.shape as [number, number];
  const frequencies = ops.tensor1d(inverseFrequencies(config));
  const angle_B1Th = ops.mul(
    ops.cast(ops.reshape(positions_BT, [rows, 1, columns, 1]), 'float32'),
    frequencies,
  );
  const cos = ops.cos(angle_B1Th);
  const sin = ops.sin(angle_B1Th);
  return { cos_B1TK: ops.concat([cos, cos], -1), sin_B1TK: ops.concat([ops.neg(sin), sin], -1) };
}

/** The same rotation followed by a multiplication: attention's 1/√K costs nothing this way. */
export function scaled(by: Rotation, factor: number): Rotation {
  return { cos_B1TK: ops.mul(by.cos_B1TK, factor), sin_B1TK: ops.mul(by.sin_B1TK, factor) };
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
