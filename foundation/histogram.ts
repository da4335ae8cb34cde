/** @file How a count is distributed over many things, in little memory: bins of doubling width. No imports. */

/** What was counted, as plain JSON. */
export interface Histogram {
  readonly count: number;
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  /** Things counted from `from` up to, not including, `to`. */
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

/** Takes whole numbers of at least 0: 0, 1, 2–3, 4–7, … */
export class Counter {
  private readonly counts: number[] = [];
  private count = 0;
  private sum = 0;
  private least = Infinity;
  private most = 0;

  add(value: number): void {
    const bin = value < 1 ? 0 : Math.floor(Math.log2(value)) + 1;
    this.counts[bin] = (this.counts[bin] ?? 0) + 1;
    this.count++;
    this.sum += value;
    this.least = Math.min(this.least, value);
    this.most = Math.max(this.most, value);
  }

  histogram(): Histogram {
    const bins = Array.from(this.counts, (count: number | undefined, bin) => ({
      from: bin === 0 ? 0 : 2 ** (bin - 1),
      to: 2 ** bin,
      count: count ?? 0,
    }));
    const first = bins.findIndex(({ count }) => count > 0);
    return {
      count: this.count,
      least: this.count > 0 ? this.least : 0,
      most: this.most,
      mean: this.count > 0 ? this.sum / this.count : 0,
      bins: first < 0 ? [] : bins.slice(first),
    };
  }
}
