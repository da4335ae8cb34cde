/** @file What a late viewer is shown: every series, thinned out evenly when it grows long. Memory is bounded. */
import type { Metric } from '../streams/index.js';

/**
 * Keeps at most `limit` metrics of each run and kind, so that a chatty series never pushes a rare one out. A full
 * series drops every other metric and from then on keeps every second, fourth, … of what comes; its newest is always
 * there.
 */
export class History {
  readonly #series = new Map<string, Series>();
  #next = 0;

  constructor(private readonly limit = 2000) {}

  /** The sequence number after the newest metric. */
  get next(): number {
    return this.#next;
  }

  /** How many metrics are kept, at least. */
  get size(): number {
    let size = 0;
    for (const { kept } of this.#series.values()) size += kept.length;
    return size;
  }

  add(metric: Metric): void {
    const key = seriesOf(metric);
    let series = this.#series.get(key);
    if (series === undefined)
      this.#series.set(key, (series = { kept: [], newest: metric, seen: 0, stride: 1 }));
    series.newest = metric;
    if (series.seen % series.stride === 0) series.kept.push(metric);
    series.seen += 1;
    if (series.kept.length > this.limit) {
      series.kept = series.kept.filter((_, index) => index % 2 === 0);
      series.stride *= 2;
    }
    this.#next = Math.max(this.#next, metric.sequence + 1);
  }

  /** The newest of each series, in sequence. */
  newest(): Metric[] {
    return [...this.#series.values()].map(({ newest }) => newest).sort((a, b) => a.sequence - b.sequence);
  }

  /** The kept metrics with a sequence number above `sequence`, in sequence. */
  after(sequence: number): Metric[] {
    const found: Metric[] = [];
    for (const { kept, newest } of this.#series.values()) {
      for (const metric of kept) if (metric.sequence > sequence) found.push(metric);
      if (kept.at(-1) !== newest && newest.sequence > sequence) found.push(newest);
    }
    return found.sort((a, b) => a.sequence - b.sequence);
  }
}

/** Which series a metric belongs to. */
export function seriesOf({ run, kind }: Metric): string {
  return JSON.stringify([run, kind]);
}

/** Of what kind the metrics of a series are. */
export function kindOf(series: string): string {
  return (JSON.parse(series) as [string, string])[1];
}

interface Series {
  kept: Metric[];
  newest: Metric;
  seen: number;
  stride: number;
}
