/** @file JSON that nobody vouches for, parsed to a bounded depth. No imports. */

/** Deeper than any file that we read nests, and shallow enough for whatever walks it by recursion. */
export const DEEPEST_JSON = 200;

/**
 * `JSON.parse` for files of unknown origin.
 * @throws SyntaxError for what is no JSON, or nests deeper than `deepest` lists and objects.
 */
export function parseJson(text: string, deepest = DEEPEST_JSON): unknown {
  if (depthOf(text, deepest) > deepest)
    throw new SyntaxError(`lists and objects nested more than ${deepest} deep`);
  return JSON.parse(text);
}

/** How deep brackets nest outside of strings; counting stops beyond `enough`. */
function depthOf(text: string, enough: number): number {
  let [depth, deepest] = [0, 0];
  for (let at = 0; at < text.length && deepest <= enough; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) at = endOfString(text, at);
    else if (code === 91 || code === 123) deepest = Math.max(deepest, ++depth);
    else if (code === 93 || code === 125) depth--;
  }
  return deepest;
}

/** The quote that closes a string begun at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ;) {
    const end = text.indexOf('"', at);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return end;
    at = end + 1;
  }
}
