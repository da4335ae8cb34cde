/** @file Which checkpoints stay. Pure; no imports. */

/** Those that stay are those that any of these keeps. */
export interface Retention {
  /** The last so many, at least 1. */
  readonly keep: number;
  /** Those of every so many steps; 0 or not given for none. */
  readonly keepEvery?: number | undefined;
  /** Those that a metric finds best. */
  readonly best?: Best | undefined;
}

export interface Best {
  /** Kind and name, as in `evaluate.latentComply`: a checkpoint has the value that was measured at its very step. */
  readonly metric: string;
  readonly is: 'least' | 'greatest';
  /** How many, at least 1; of equal ones the later. */
  readonly keep: number;
}

/** A checkpoint, as far as this is concerned. */
export interface Saved {
  readonly step: number;
  /** The metric's value, where it was measured; NaN is none. */
  readonly score?: number | undefined;
}

/** Steps of those that stay. */
export function retained(
  saved: readonly Saved[],
  { keep, keepEvery = 0, best }: Retention,
): ReadonlySet<number> {
  const later = (a: Saved, b: Saved): number => b.step - a.step;
  const sign = best?.is === 'greatest' ? -1 : 1;
  const scored = saved.flatMap(({ step, score = NaN }) => (Number.isFinite(score) ? [{ step, score }] : []));
  return new Set(
    [
      ...saved.toSorted(later).slice(0, keep),
      ...saved.filter(({ step }) => keepEvery > 0 && step % keepEvery === 0),
      ...scored.toSorted((a, b) => sign * (a.score - b.score) || later(a, b)).slice(0, best?.keep ?? 0),
    ].map(({ step }) => step),
  );
}
