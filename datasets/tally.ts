/** @file What the data of a run have given so far, for people who look on. No imports. */

/** Counts since this process began; results never depend on them. */
export interface DataFigures {
  /** Rows taken, by dataset: `pairs`, or `pairs-0`, `pairs-1`, … of a mixture; `desired` and `benign` likewise. */
  readonly rows: Readonly<Record<string, number>>;
  /** Rows that became examples of batches. */
  readonly examples: number;
  readonly batches: number;
  /** Batches made and not yet taken. */
  readonly ready: number;
}

/** Where feeds and batches are counted. */
export class Tally {
  readonly #rows: Record<string, number> = {};
  #examples = 0;
  #batches = 0;

  row(dataset: string): void {
    this.#rows[dataset] = (this.#rows[dataset] ?? 0) + 1;
  }

  batch(examples: number): void {
    this.#batches += 1;
    this.#examples += examples;
  }

  figures(ready: number): DataFigures {
    return { rows: { ...this.#rows }, examples: this.#examples, batches: this.#batches, ready };
  }
}
