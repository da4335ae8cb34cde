/** @file How near numbers are to what others computed. */

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, left, right] = [0, 0, 0];
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    dot += a[at]! * b[at]!;
    left += a[at]! ** 2;
    right += b[at]! ** 2;
  }
  return left === 0 && right === 0 ? 1 : dot / Math.sqrt(left * right);
}

/** @param least what smaller numbers are taken for. */
export const relative = (got: number, expected: number, least = 1e-6): number =>
  Math.abs(got - expected) / Math.max(Math.abs(expected), least);
