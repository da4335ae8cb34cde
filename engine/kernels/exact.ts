/**
 * @file Functions that a GPU's shading language may compute with few digits (a logarithm off by 2⁻²¹ near 1, a sine by 2⁻¹¹
 * anywhere), written out in sums and products: as exact as float32 allows.
 */
import type { Emitter } from './kernel.js';

/** Arithmetic on named values of a graph. */
function arithmetic(emit: Emitter) {
  const number = (value: number): string => emit.scalar(value, 'float32');
  const add = (a: string, b: string): string => emit.op('Add', [a, b]);
  const sub = (a: string, b: string): string => emit.op('Sub', [a, b]);
  const mul = (a: string, b: string): string => emit.op('Mul', [a, b]);
  /** c₀ + c₁x + c₂x² + … */
  const series = (x: string, coefficients: readonly number[]): string =>
    coefficients.map(number).reduceRight((inner, coefficient) => add(mul(inner, x), coefficient));
  return { number, add, sub, mul, series };
}

/** Of 2·artanh(s) = 2s + 2s³/3 + …, as a series in s²; for |s| < 0.2 the next term is below half a unit in the last place. */
const ARTANH = [1, 3, 5, 7, 9, 11].map((term) => 2 / term);

/** log(1 + x). */
export function log1p(emit: Emitter, x: string): string {
  const { number, add } = arithmetic(emit);
  return nearOne(emit, x, add(x, number(1)));
}

/** log(x). */
export function log(emit: Emitter, x: string): string {
  const { number, sub } = arithmetic(emit);
  return nearOne(emit, sub(x, number(1)), x);
}

/** log of `whole`, which is 1 + x: for |x| < 0.4 it is 2·artanh(s) with s = x/(2 + x). */
function nearOne(emit: Emitter, x: string, whole: string): string {
  const { number, add, mul, series } = arithmetic(emit);
  const s = emit.op('Div', [x, add(x, number(2))]);
  const near = emit.op('Less', [emit.op('Abs', [x]), number(0.4)]);
  return emit.op('Where', [near, mul(s, series(mul(s, s), ARTANH)), emit.op('Log', [whole])]);
}

/** π/2 in parts of few digits, so that products with whole numbers up to 2¹⁵ are exact, and a rest. */
const QUARTER = [1.5703125, 4.837512969970703e-4, 7.549789948768648e-8];
const SINE = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880];
const COSINE = [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800];

/** sin(x + turns·π/2): reduced to |r| ≤ π/4, then by the series of sine or cosine. */
export function sine(emit: Emitter, x: string, turns: 0 | 1): string {
  const { number, add, sub, mul, series } = arithmetic(emit);
  const floor = (value: string): string => emit.op('Floor', [value]);
  const quarters = floor(add(mul(x, number(2 / Math.PI)), number(0.5)));
  const r = QUARTER.reduce((rest, part) => sub(rest, mul(quarters, number(part))), x);
  const square = mul(r, r);
  const whole = add(quarters, number(turns));
  const quadrant = sub(whole, mul(floor(mul(whole, number(0.25))), number(4)));
  const isOdd = emit.op('Equal', [
    sub(quadrant, mul(floor(mul(quadrant, number(0.5))), number(2))),
    number(1),
  ]);
  const value = emit.op('Where', [isOdd, series(square, COSINE), mul(r, series(square, SINE))]);
  return emit.op('Where', [emit.op('Less', [quadrant, number(2)]), value, emit.op('Neg', [value])]);
}
