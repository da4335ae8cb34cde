/** @file Eigenvalues and eigenvectors of symmetric matrices, by Jacobi's rotations. Depends on nothing. */

/** Sweeps over all pairs; convergence is quadratic, and a dozen is more than any matrix has needed. */
const MOST_SWEEPS = 40;

export interface Eigen {
  /** Largest first. */
  readonly values: Float64Array;
  /** Eigenvectors as rows, each of length 1, in the order of their values. [n·n] */
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and eigenvectors; time grows with n³.
 * @param matrix symmetric, [n·n]; its upper triangle counts.
 */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): Eigen {
  const a = Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    return matrix[Math.min(row, column) * n + Math.max(row, column)] as number;
  });
  const vectors = new Float64Array(n * n);
  for (let at = 0; at < n; at++) vectors[at * n + at] = 1;
  for (let sweep = 0; sweep < MOST_SWEEPS && !isDiagonal(a, n); sweep++)
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const off = a[p * n + q] as number;
        if (off === 0) continue;
        const [cosine, sine] = angle(a[p * n + p] as number, a[q * n + q] as number, off);
        rotateColumns(a, n, p, q, cosine, sine);
        rotateRows(a, n, p, q, cosine, sine);
        rotateRows(vectors, n, p, q, cosine, sine);
      }
  const order = Array.from({ length: n }, (_, at) => at);
  order.sort((left, right) => (a[right * n + right] as number) - (a[left * n + left] as number));
  return {
    values: Float64Array.from(order, (at) => a[at * n + at] as number),
    vectors: Float64Array.from({ length: n * n }, (_, at) => {
      return vectors[(order[Math.floor(at / n)] as number) * n + (at % n)] as number;
    }),
  };
}

function isDiagonal(a: Float64Array, n: number): boolean {
  let [on, off] = [0, 0];
  for (let row = 0; row < n; row++)
    for (let column = 0; column < n; column++) {
      const square = (a[row * n + column] as number) ** 2;
      if (row === column) on += square;
      else off += square;
    }
  return off <= 1e-26 * (on + off);
}

/** Cosine and sine of the rotation that takes the entry between two to zero, the smaller of the two angles. */
function angle(first: number, second: number, off: number): readonly [number, number] {
  const cotangent = (second - first) / (2 * off);
  const tangent = Math.sign(cotangent || 1) / (Math.abs(cotangent) + Math.sqrt(cotangent ** 2 + 1));
  const cosine = 1 / Math.sqrt(tangent ** 2 + 1);
  return [cosine, tangent * cosine];
}

function rotateRows(m: Float64Array, n: number, p: number, q: number, cosine: number, sine: number): void {
  for (let at = 0; at < n; at++) {
    const [x, y] = [m[p * n + at] as number, m[q * n + at] as number];
    m[p * n + at] = cosine * x - sine * y;
    m[q * n + at] = sine * x + cosine * y;
  }
}

function rotateColumns(m: Float64Array, n: number, p: number, q: number, cosine: number, sine: number): void {
  for (let at = 0; at < n; at++) {
    const [x, y] = [m[at * n + p] as number, m[at * n + q] as number];
    m[at * n + p] = cosine * x - sine * y;
    m[at * n + q] = sine * x + cosine * y;
  }
}
