/** @file In how many bits numbers are kept and computed with, as recipes and options name it. */
import type { HalfType } from './tensor.js';

/** float32 throughout, or 16 bits where they do (`docs/accelerators.md`). */
export const PRECISIONS = ['float32', 'float16', 'bfloat16'] as const;

export type Precision = (typeof PRECISIONS)[number];

/** The 16-bit type of a precision; undefined for float32. */
export function halfOf(precision: Precision = 'float32'): HalfType | undefined {
  return precision === 'float32' ? undefined : precision;
}
