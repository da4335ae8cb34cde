/** @file A straight line through points by least squares. No imports. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface LinearFit {
  readonly slope: number;
  readonly intercept: number;
  /** Standard error of the slope; NaN for fewer than three points. */
  readonly slope_error: number;
  /** Share of the variance that the line explains; 1 where there is none. */
  readonly r_squared: number;
}

/** @throws RangeError unless two points differ in x. */
export function linearFit(points: readonly Point[]): LinearFit {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  if (!(spread > 0)) throw new RangeError('no line through points of one x');
  const slope = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
  const intercept = y - slope * x;
  const residual = points.reduce((sum, point) => sum + (point.y - intercept - slope * point.x) ** 2, 0);
  const variance = points.reduce((sum, point) => sum + (point.y - y) ** 2, 0);
  return {
    slope,
    intercept,
    slope_error: points.length < 3 ? NaN : Math.sqrt(residual / (points.length - 2) / spread),
    r_squared: variance > 0 ? 1 - residual / variance : 1,
  };
}
