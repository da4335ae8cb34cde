/** @file Finds what somebody probably meant. Words in, words out. */

/** Edit distance (insert, delete, replace; Levenshtein 1966). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, x] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, y] of Array.from(b).entries())
      next.push(Math.min((row[j] ?? 0) + (x === y ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Longer ones are no slips of a key, and would take long to compare. */
const LONGEST_WORD = 64;

/** Known words that are close to `word`, closest first; at most three. */
export function nearMatches(word: string, known: readonly string[]): string[] {
  if (word.length > LONGEST_WORD) return [];
  const lower = word.toLowerCase();
  return known
    .map((each) => ({ each, distance: distanceTo(lower, each.toLowerCase()) }))
    .filter(
      ({ each, distance }) => distance <= Math.max(2, Math.floor(Math.max(word.length, each.length) / 3)),
    )
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ each }) => each);
}

/** Part of a name counts as one edit: `batch` for `pairsPerBatch`. */
function distanceTo(word: string, known: string): number {
  const contained = word.length >= 3 && (known.includes(word) || word.includes(known));
  return contained ? 1 : editDistance(word, known);
}
