/** @file 16-bit floats as bit patterns: bfloat16 and IEEE half, to float32 and back. No imports. */

/** Floats of 16 bits: IEEE half, and bfloat16 with float32's exponents. */
export const HALF_TYPES = ['float16', 'bfloat16'] as const;
export type HalfType = (typeof HALF_TYPES)[number];

/** Bit patterns of a type as float32: exact. @param into where to, as long as `bits` */
export function fromBits(type: HalfType, bits: Uint16Array, into?: Float32Array): Float32Array {
  return type === 'float16' ? fromHalf(bits, into) : fromBfloat16(bits, into);
}

/** float32 rounded to the nearest of a type, ties to even. @param into where to, as long as `values` */
export function toBits(type: HalfType, values: Float32Array, into?: Uint16Array): Uint16Array {
  return type === 'float16' ? toHalf(values, into) : toBfloat16(values, into);
}

/** bfloat16 patterns as float32: exact. */
export function fromBfloat16(
  bits: Uint16Array,
  into: Float32Array = new Float32Array(bits.length),
): Float32Array {
  const words = new Uint32Array(into.buffer, into.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] as number) << 16;
  return into;
}

/** float32 rounded to the nearest bfloat16, ties to even; NaN stays NaN. */
export function toBfloat16(
  values: Float32Array,
  into: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) into[i] = bfloat16Bits(words[i] as number);
  return into;
}

function bfloat16Bits(word: number): number {
  if ((word & 0x7fffffff) > INFINITE) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** IEEE half patterns as float32: exact. */
export function fromHalf(
  bits: Uint16Array,
  into: Float32Array = new Float32Array(bits.length),
): Float32Array {
  const table = halves();
  for (let i = 0; i < bits.length; i++) into[i] = table[bits[i] as number] as number;
  return into;
}

/** float32 rounded to the nearest IEEE half, ties to even; too large becomes infinity; NaN stays NaN. */
export function toHalf(
  values: Float32Array,
  into: Uint16Array = new Uint16Array(values.length),
): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) into[i] = halfBits(words[i] as number);
  return into;
}

/** Bit patterns of float32: 2⁻¹⁴, the least normal half; 2¹⁶, above all halves; infinity. */
const [LEAST_NORMAL, TOO_LARGE, INFINITE] = [0x38800000, 0x47800000, 0x7f800000];
const sum = new Float32Array(1);
const sumBits = new Uint32Array(sum.buffer);

function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const size = word & 0x7fffffff;
  if (size > INFINITE) return 0x7e00;
  if (size >= TOO_LARGE) return sign | 0x7c00;
  if (size < LEAST_NORMAL) {
    // Added to ½, whose last place is 2⁻²⁴ as that of small halves is, float32 itself rounds to nearest even.
    sumBits[0] = size;
    sum[0] = (sum[0] as number) + 0.5;
    return sign | (sumBits[0] - 0x3f000000);
  }
  // A fraction that rounds up carries into the exponent, and from the largest into infinity, by plain addition.
  return sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
}

let table: Float32Array | undefined;

/** The values of all 65,536 halves, by their bits. */
export function halves(): Float32Array {
  return (table ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }));
}
