/** @file Values that JavaScript's own types may not hold exactly: as numbers and dates where they do, else as text. */

/** Digits that every double keeps. */
const KEPT_DIGITS = 15;
const NANOS = 1_000_000n;

/** `unscaled · 10^-scale`: a number of at most 15 digits, else its decimal notation. */
export function decimalValue(unscaled: bigint, scale: number): number | string {
  const digits = `${unscaled < 0n ? -unscaled : unscaled}`;
  if (digits.length <= KEPT_DIGITS) return Number(`${unscaled}e${-scale}`);
  if (scale <= 0) return `${unscaled}${'0'.repeat(-scale)}`;
  const padded = digits.padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** A moment in nanoseconds since 1970, UTC: a date where it is whole milliseconds, else ISO text with 6 or 9 digits. */
export function timeValue(nanos: bigint): Date | string {
  const rest = ((nanos % NANOS) + NANOS) % NANOS;
  const date = new Date(Number((nanos - rest) / NANOS));
  if (rest === 0n) return date;
  const digits = `${rest}`.padStart(6, '0');
  return date.toISOString().replace('Z', `${digits.endsWith('000') ? digits.slice(0, 3) : digits}Z`);
}
