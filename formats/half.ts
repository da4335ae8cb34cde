/** @file 16-bit floats as bit patterns: bfloat16 and IEEE half, to float32 and back. No imports. */

/** bfloat16 patterns as float32: exact. */
export function fromBfloat16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] as number) << 16;
  return new Float32Array(words.buffer);
}

/** float32 rounded to the nearest bfloat16, ties to even; NaN stays NaN. */
export function toBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from({ length: values.length }, (_, i) => {
    const word = words[i] as number;
    if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}

/** IEEE half patterns as float32: exact. */
export function fromHalf(bits: Uint16Array): Float32Array {
  const table = halves();
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i] as number] as number;
  return values;
}

/** float32 rounded to the nearest IEEE half, ties to even; too large becomes infinity; NaN stays NaN. */
export function toHalf(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halfBits(words[i] as number);
  return bits;
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
