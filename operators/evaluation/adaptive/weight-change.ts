/** @file Changes of weights by name, and what they do to one matrix. Numbers in, numbers out. */
import { draws } from '../../../foundation/index.js';
import type { WeightsConfig } from '../config.js';

/** Noise of a share of each matrix's root mean square, or symmetric rounding to so many bits, output by output. */
export type WeightChange = { readonly noise: number } | { readonly bits: number };

export interface NamedChange {
  /** `noise0.01`, `rounded4` */
  readonly name: string;
  readonly change: WeightChange;
}

/** One for each number, in the order in which they are reported. */
export function weightChanges({ noise = [], bits = [] }: WeightsConfig = {}): NamedChange[] {
  return [
    ...noise.map((share) => ({ name: `noise${share}`, change: { noise: share } })),
    ...bits.map((count) => ({ name: `rounded${count}`, change: { bits: count } })),
  ];
}

/** A matrix as it is stored, row by row. */
export interface Matrix {
  readonly name: string;
  readonly data: Float32Array;
  readonly outputs: number;
  /** Stored [inputs, outputs] instead of [outputs, inputs]. */
  readonly inputsFirst: boolean;
}

/** A changed copy. Noise is a function of the matrix's name alone: with a larger share it goes further the same way. */
export function changedWeights(matrix: Matrix, change: WeightChange): Float32Array {
  return 'noise' in change ? noised(matrix, change.noise) : rounded(matrix, change.bits);
}

function noised({ name, data }: Matrix, share: number): Float32Array {
  let squares = 0;
  for (const value of data) squares += value * value;
  const deviation = share * Math.sqrt(squares / data.length);
  const draw = draws(0, 'weight-noise', name);
  return data.map((value) => value + deviation * draw.normal());
}

/** To the nearest of 2^bits − 1 equal steps from −m to m, where m is the largest magnitude of an output's weights. */
function rounded({ data, outputs, inputsFirst }: Matrix, bits: number): Float32Array {
  const inputs = data.length / outputs;
  const outputOf = (at: number): number => (inputsFirst ? at % outputs : Math.floor(at / inputs));
  const largest = new Float64Array(outputs);
  data.forEach((value, at) => {
    const output = outputOf(at);
    largest[output] = Math.max(largest[output] as number, Math.abs(value));
  });
  const levels = 2 ** (bits - 1) - 1;
  return data.map((value, at) => {
    const step = (largest[outputOf(at)] as number) / levels;
    return step > 0 ? Math.round(value / step) * step : 0;
  });
}
