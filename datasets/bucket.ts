/** @file Rounds sizes up to a few, so that few shapes are compiled. No imports. */

/** Sizes that vary from batch to batch. */
export interface Sizes {
  /** Columns of a row. */
  readonly length: number;
  /** Labels per label set. */
  readonly labels: number;
  /** Perturbation vectors per row. */
  readonly slots: number;
}

/**
 * Padded sizes: lengths in steps of an eighth to a quarter (8 at least), labels in powers of two and halfway between
 * (16 at least), slots in powers of two (8 at least) but no more than the length.
 * A function of the sizes alone, never of earlier batches, so that a resumed run compiles and computes the same.
 * @param minimum sizes are at least these: large ones make a run use a single shape.
 */
export function bucket(sizes: Sizes, minimum: Partial<Sizes> = {}): Sizes {
  const length = Math.max(steps(sizes.length, 4, 8), minimum.length ?? 0);
  return {
    length,
    labels: Math.max(steps(sizes.labels, 2, 16), minimum.labels ?? 0),
    slots: sizes.slots === 0 ? 0 : Math.max(Math.min(steps(sizes.slots, 1, 8), length), minimum.slots ?? 0),
  };
}

/** The next of `perOctave` evenly spaced sizes per power of two, and a multiple of `least`. */
function steps(size: number, perOctave: number, least: number): number {
  const octave = 2 ** Math.floor(Math.log2(Math.max(size - 1, 1)));
  const step = Math.max(octave / perOctave, least);
  return Math.max(Math.ceil(size / step), 1) * step;
}
