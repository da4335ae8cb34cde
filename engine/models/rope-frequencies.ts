/** @file Inverse frequencies of rotary positions, scaled as transformers scales them. Host arithmetic only. */
import type { Rope, RopeScaling } from './rope-config.js';

/** True where the frequencies of a row depend on its length; keys of earlier tokens then go stale as it grows. */
export function changesWithLength(
  scaling: RopeScaling | null,
): scaling is Extract<RopeScaling, { readonly kind: 'dynamic' | 'longrope' }> {
  return scaling?.kind === 'dynamic' || scaling?.kind === 'longrope';
}

/** A number that is the same for two lengths of a row where its frequencies are. */
export function frequencyRegime(rope: Rope | null, length: number): number {
  const scaling = rope?.scaling ?? null;
  if (!changesWithLength(scaling)) return 0;
  if (scaling.kind === 'longrope') return length > scaling.originalContextLength ? 1 : 0;
  return Math.max(length, scaling.originalContextLength);
}

/** Inverse frequencies of rows of `length` tokens, one per pair of rotated dimensions; `dynamic` ones before they grow. */
export function inverseFrequencies({ theta, dimensions, scaling }: Rope, length = 0): Float32Array {
  const at = rule(theta, dimensions, scaling, length);
  return Float32Array.from({ length: Math.ceil(dimensions / 2) }, (_, index) =>
    at(1 / theta ** ((2 * index) / dimensions), index),
  );
}

/** From the plain frequency of a pair to the scaled one. */
function rule(
  theta: number,
  dimensions: number,
  scaling: RopeScaling | null,
  length: number,
): (frequency: number, index: number) => number {
  switch (scaling?.kind) {
    case undefined:
    case 'dynamic':
      return (frequency) => frequency;
    case 'linear':
      return (frequency) => frequency / scaling.factor;
    case 'llama3': {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
      return (frequency) => {
        const turns = (scaling.originalContextLength * frequency) / (2 * Math.PI);
        return blend(frequency, factor, Math.min(1, Math.max(0, (turns - low) / (high - low))));
      };
    }
    case 'yarn': {
      const [low, high] = yarnRange(theta, dimensions, scaling);
      return (frequency, index) =>
        blend(frequency, scaling.factor, 1 - Math.min(1, Math.max(0, (index - low) / (high - low))));
    }
    case 'longrope': {
      const factors = length > scaling.originalContextLength ? scaling.longFactors : scaling.shortFactors;
      return (frequency, index) => frequency / (factors[index] as number);
    }
  }
}

/** Between a frequency and the same slowed by `factor`. @param kept share of the former. */
function blend(frequency: number, factor: number, kept: number): number {
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/** The pairs between which YaRN goes over from keeping to slowing. */
function yarnRange(
  theta: number,
  dimensions: number,
  { betaFast, betaSlow, truncate, originalContextLength }: Extract<RopeScaling, { readonly kind: 'yarn' }>,
): readonly [number, number] {
  const pair = (turns: number): number =>
    (dimensions * Math.log(originalContextLength / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [pair(betaFast), pair(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, dimensions - 1);
  return low === high ? [low, high + 0.001] : [low, high];
}
