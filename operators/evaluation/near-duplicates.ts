/** @file Which requests say nearly the same as one that is known. Words in, a word out. */
import { wordsOf } from './words.js';

/** Shared words / words of either, from which on two requests are taken for the same. */
const ALIKE = 0.8;

/**
 * Whether a text is nearly one of those that are known: Jaccard similarity of their sets of words, at least 0.8. Benchmarks
 * repeat each other's rows with small changes, and a row that was trained on measures memory.
 */
export function nearDuplicates(known: readonly string[]): (text: string) => boolean {
  const sizes: number[] = [];
  const byWord = new Map<string, number[]>();
  for (const words of new Set(known.map((text) => [...new Set(wordsOf(text))].sort().join(' ')))) {
    const all = words.split(' ').filter((word) => word !== '');
    for (const word of all) {
      const places = byWord.get(word);
      if (places) places.push(sizes.length);
      else byWord.set(word, [sizes.length]);
    }
    sizes.push(all.length);
  }
  return (text) => {
    const words = new Set(wordsOf(text));
    const shared = new Map<number, number>();
    for (const word of words)
      for (const at of byWord.get(word) ?? []) shared.set(at, (shared.get(at) ?? 0) + 1);
    return [...shared].some(([at, count]) => count >= ALIKE * (words.size + (sizes[at] as number) - count));
  };
}
