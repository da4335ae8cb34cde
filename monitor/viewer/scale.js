/** @file Ranges of axes, and search along them. */

/** What the y axis spans: a unit interval, or the data with a margin, from zero where zero is near or nothing varies. */
export function yRange(min, max, unit, log) {
  if (unit) return [0, 1.02];
  if (min === null || max === null) return [0, 1];
  if (log) return [min > 0 ? min * 0.9 : 1e-6, max > 0 ? max * 1.1 : 1];
  const margin = (max - min || Math.abs(max) || 1) * 0.08;
  const spread = max - min;
  const fromZero = min >= 0 && (min < spread * 0.6 || spread < max * 0.02);
  return [fromZero ? 0 : min - margin, max + (fromZero ? max * 0.08 : margin)];
}

/** Index of the last of `sorted` that is at most `x`; −1 if all are above. */
export function lastAtMost(sorted, x) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The value at `x` of the line through points whose x ascends, drawn on behind the last. At least two points. */
export function along(xs, ys, x) {
  const at = Math.min(xs.length - 2, Math.max(0, lastAtMost(xs, x)));
  const span = xs[at + 1] - xs[at];
  return span === 0 ? ys[at + 1] : ys[at] + ((ys[at + 1] - ys[at]) * (x - xs[at])) / span;
}

/** Round numbers from `low` to `high`, about `count` of them. */
export function roundTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough;
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
  return ticks;
}
