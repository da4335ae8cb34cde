/** @file Ridge regression in closed form, without intercept. Numbers in, numbers out. */

/**
 * Weights [D] that minimize |X w − y|² + ridge · n̄ · |w|², where n̄ is the mean squared norm of rows: ridge has no unit.
 * Solved in the smaller of rows and columns.
 * @param rows X by row. [N][D]
 */
export function ridgeWeights(
  rows: readonly Float64Array[],
  targets: readonly number[],
  ridge: number,
): Float64Array {
  const width = rows[0]?.length ?? 0;
  const scale = rows.reduce((sum, row) => sum + dot(row, row), 0) / Math.max(1, rows.length);
  const penalty = ridge * (scale || 1);
  if (rows.length <= width) {
    const gram = rows.map((one, at) => Float64Array.from(rows.slice(0, at + 1), (other) => dot(one, other)));
    const dual = solved(gram, targets, penalty);
    return sumOf(rows, dual, width);
  }
  const columns = Array.from({ length: width }, (_, at) =>
    Float64Array.from(rows, (row) => row[at] as number),
  );
  const gram = columns.map((one, at) =>
    Float64Array.from(columns.slice(0, at + 1), (other) => dot(one, other)),
  );
  return solved(gram, [...sumOf(rows, targets, width)], penalty);
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

function sumOf(rows: readonly Float64Array[], shares: ArrayLike<number>, width: number): Float64Array {
  const sum = new Float64Array(width);
  rows.forEach((row, index) => {
    for (let at = 0; at < width; at++)
      sum[at] = (sum[at] as number) + (shares[index] as number) * (row[at] as number);
  });
  return sum;
}

/** (G + penalty · I) x = y by Cholesky. @param lower triangle of G by row, diagonal included; overwritten. */
function solved(lower: readonly Float64Array[], targets: readonly number[], penalty: number): Float64Array {
  const n = lower.length;
  const at = (row: number, column: number): number => (lower[row] as Float64Array)[column] as number;
  for (let row = 0; row < n; row++)
    for (let column = 0; column <= row; column++) {
      let value = at(row, column) + (row === column ? penalty : 0);
      for (let inner = 0; inner < column; inner++) value -= at(row, inner) * at(column, inner);
      (lower[row] as Float64Array)[column] = row === column ? Math.sqrt(value) : value / at(column, column);
    }
  const x = Float64Array.from(targets);
  for (let row = 0; row < n; row++) {
    for (let inner = 0; inner < row; inner++)
      x[row] = (x[row] as number) - at(row, inner) * (x[inner] as number);
    x[row] = (x[row] as number) / at(row, row);
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let inner = row + 1; inner < n; inner++)
      x[row] = (x[row] as number) - at(inner, row) * (x[inner] as number);
    x[row] = (x[row] as number) / at(row, row);
  }
  return x;
}
