/** @file What a run tells the world: metric records, and the journal that numbers them. No imports of ours. */

/** One measurement of a run: small, flat, and the same in memory, on disk and on the wire. */
export interface Metric {
  /** Who measured, e.g. `jailbreak/lat`: recipe and arm. */
  readonly run: string;
  /** 0, 1, 2, … over all runs of a journal, without gaps: a viewer knows what it missed. */
  readonly sequence: number;
  /** When, in milliseconds since the epoch. For people; results never depend on it. */
  readonly time: number;
  /** The training step that was measured. */
  readonly step: number;
  /** `attack`, `defend`, `throughput`, `evaluate`, `progress`, `checkpoint`, `warning`, … */
  readonly kind: string;
  /** Named numbers. What is not finite becomes `null` in JSON and NaN when read back. */
  readonly values: Readonly<Record<string, number>>;
}

/** Measures for one run: numbers the record, publishes and returns it. */
export type Recorder = (step: number, kind: string, values: Readonly<Record<string, number>>) => Metric;

export interface MetricJournalOptions {
  /** The first sequence number; after a resume, the one after the last kept record. 0 by default. */
  readonly first?: number;
  /** Clock, milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Numbers the metrics of a job, whatever arm they come from, and hands each to `publish` in that order. */
export class MetricJournal {
  #next: number;
  readonly #now: () => number;

  constructor(
    private readonly publish: (metric: Metric) => void,
    options: MetricJournalOptions = {},
  ) {
    this.#next = options.first ?? 0;
    this.#now = options.now ?? Date.now;
  }

  /** The number that the next metric will have. */
  get next(): number {
    return this.#next;
  }

  /** The recorder of one run (arm). */
  recorder(run: string): Recorder {
    return (step, kind, values) => {
      const metric: Metric = { run, sequence: this.#next++, time: this.#now(), step, kind, values };
      this.publish(metric);
      return metric;
    };
  }
}

/** The metric in a JSON value, or undefined if it is none. `null` among the values reads as NaN. */
export function metricFrom(json: unknown): Metric | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { run, sequence, time, step, kind, values } = json as Record<string, unknown>;
  if (typeof run !== 'string' || typeof kind !== 'string') return undefined;
  if (!Number.isSafeInteger(sequence) || typeof time !== 'number' || !Number.isSafeInteger(step))
    return undefined;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return undefined;
  const numbers: Record<string, number> = {};
  for (const [name, value] of Object.entries(values as Record<string, unknown>)) {
    if (typeof value !== 'number' && value !== null) return undefined;
    numbers[name] = typeof value === 'number' ? value : Number.NaN;
  }
  return { run, sequence: sequence as number, time, step: step as number, kind, values: numbers };
}
