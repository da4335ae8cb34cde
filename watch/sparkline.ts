/** @file A course of values in one line of blocks. */

const BLOCKS = '▁▂▃▄▅▆▇█';
/** Relative to the greatest: rounding of float32 is no course. */
const FLAT = 1e-6;

/**
 * Means of as many pieces as there are columns, between the least and the greatest of them.
 * @param values in time; what is not finite is left blank
 * @returns at most `width` columns
 */
export function sparkline(values: readonly number[], width: number): string {
  const columns = Math.min(values.length, Math.max(0, Math.floor(width)));
  const means = Array.from({ length: columns }, (_, at) => {
    const piece = values.slice(
      Math.floor((at * values.length) / columns),
      Math.floor(((at + 1) * values.length) / columns),
    );
    const finite = piece.filter(Number.isFinite);
    // Halved first: the sum of the greatest numbers is none.
    return finite.length > 0 ? finite.reduce((sum, each) => sum + each / finite.length, 0) : Number.NaN;
  });
  const finite = means.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  return means
    .map((mean) => {
      if (!Number.isFinite(mean)) return ' ';
      const share =
        most - least > FLAT * Math.max(Math.abs(most), Math.abs(least))
          ? mean / (most - least) - least / (most - least)
          : 0.5;
      return BLOCKS[Math.min(BLOCKS.length - 1, Math.max(0, Math.floor(share * BLOCKS.length)))] ?? ' ';
    })
    .join('');
}

/** How much of a whole is done. @param share from 0 to 1 */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}
