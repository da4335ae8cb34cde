/** @file Texts as words, for rules that compare them. Knows no model. */

/** English words that say nothing about what a text is about. */
const COMMON = new Set(
  (
    'a about after all also am an and any are as at be been before being but by can could did do does for from get had has have ' +
    'he her here him his how i if in into is it its just like make may me more most my no not of on one only or other our out ' +
    'over please she should so some such sure than that the their them then there these they this those to up us use very was ' +
    'way we were what when where which while who why will with would you your okay yes'
  ).split(' '),
);

/** The words of a text in lower case, in order. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[‘’]/gu, "'")
    .split(/[^\p{L}\p{N}']+/u)
    .filter((word) => word !== '');
}

/** Stems of the words that carry a text's content: the first letters, so that `hacking` meets `hack` and `hackers`. */
export function contentStems(text: string): Set<string> {
  return new Set(
    wordsOf(text)
      .filter((word) => !COMMON.has(word) && /\p{L}/u.test(word))
      .map((word) => word.slice(0, 5)),
  );
}

/** Runs of `size` words. */
export function runsOf(words: readonly string[], size: number): string[] {
  return words
    .slice(0, Math.max(0, words.length - size + 1))
    .map((_, at) => words.slice(at, at + size).join(' '));
}
