/** @file The values of an axis as text: numbers, words, lists, ranges. Text in, plain data out, and back. */
import { parse as parseYaml } from 'yaml';
import { parseJson } from '../foundation/index.js';
import { refuseGrid } from './refuse.js';

/** What JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Values of one axis: more are a slip of the pen. */
export const MOST_VALUES = 10_000;

const RANGE = /^(-?\d{1,15})\.\.(-?\d{1,15})$/;
const SPACED = /^(lin|log)\(([^()]*)\)$/;
/** What looks like a range, and is none. */
const LIKE_RANGE = /^(?=.*\d)[-+\d.eE]*\.\.[-+\d.eE*:]*$|^(lin|log)\(/;
/** What stands for itself: no quotes, brackets, commas and control characters. */
const WORD = /^[^\s"'`[\]{}(),\p{Cc}](?:[^"'`[\]{}(),\p{Cc}]*[^\s"'`[\]{}(),\p{Cc}])?$/u;
/** Digits that a number made by a formula keeps: enough to tell values apart, too few for the noise of rounding. */
const DIGITS = 12;

/**
 * `0.5,1` (JSON), `a,b` (words), `0..4` (whole numbers), `lin(0,1,5)` and `log(1e-5,1e-3,3)` (so many, ends included), and lists
 * `[4,8],[embedding]` (JSON or YAML), in any mixture.
 * @param grid the whole, for messages
 * @throws SWEEP_GRID
 */
export function valuesOf(text: string, grid: string): Json[] {
  const values = itemsOf(text, grid).flatMap((item) => valuesOfItem(item, grid));
  if (values.length > MOST_VALUES) refuseMany(grid, values.length);
  const seen = new Set<string>();
  for (const value of values) {
    const known = JSON.stringify(value);
    if (seen.has(known))
      refuseGrid(grid, 'every value once', `${known} twice`, 'leave one out: it would be the same run');
    seen.add(known);
  }
  return values;
}

/** A value as {@link valuesOf} reads it: words bare, everything else as JSON. */
export function valueText(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return isWord(value) ? value : JSON.stringify(value);
}

function isWord(text: string): boolean {
  return WORD.test(text) && !RANGE.test(text) && !LIKE_RANGE.test(text) && jsonIn(text) === undefined;
}

/** Parts between commas that no bracket and no quotes hold. */
function itemsOf(text: string, grid: string): string[] {
  const items: string[] = [];
  const open: string[] = [];
  let [start, quoted] = [0, false];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] as string;
    if (quoted && sign === '\\') at++;
    else if (sign === '"') quoted = !quoted;
    else if (quoted) continue;
    else if ('[{('.includes(sign)) open.push(']})'['[{('.indexOf(sign)] as string);
    else if (']})'.includes(sign) && open.pop() !== sign) refuseBrackets(grid);
    else if (sign === ',' && open.length === 0) {
      items.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (quoted || open.length > 0) refuseBrackets(grid);
  return [...items, text.slice(start)].map((item) => item.trim());
}

function valuesOfItem(item: string, grid: string): Json[] {
  if (item === '') refuseGrid(grid, 'a value between commas', 'nothing', 'an empty text is ""');
  const [, from, to] = RANGE.exec(item) ?? [];
  if (from !== undefined) return range(Number(from), Number(to), item, grid);
  const [, kind, numbers] = SPACED.exec(item) ?? [];
  if (kind !== undefined) return spaced(kind === 'log', numbers as string, item, grid);
  const json = jsonIn(item);
  const value = json === undefined && /^[[{]/.test(item) ? flowIn(item) : json;
  if (value !== undefined) return [plainly(value, item, grid)];
  if (LIKE_RANGE.test(item))
    refuseGrid(
      grid,
      'a range',
      item,
      '0..4 counts whole numbers; lin(0,1,5) and log(1e-5,1e-3,3) give so many between two, ends included',
    );
  if (!WORD.test(item))
    refuseGrid(grid, 'a number, a word, [a list] or a range', item, 'put other text into "double quotes"');
  return [item];
}

function range(from: number, to: number, item: string, grid: string): number[] {
  if (from > to) refuseGrid(grid, 'a range that counts up', item, `write ${to}..${from}`);
  if (to - from >= MOST_VALUES) refuseMany(grid, to - from + 1);
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

function spaced(logarithmic: boolean, text: string, item: string, grid: string): number[] {
  const numbers = text.split(',').map((each) => (each.trim() === '' ? NaN : Number(each)));
  const [first = NaN, last = NaN, count = NaN] = numbers;
  const least = logarithmic ? Number.MIN_VALUE : -Number.MAX_VALUE;
  if (numbers.length !== 3 || !(first >= least && last > first && last <= Number.MAX_VALUE))
    refuseGrid(
      grid,
      `(first, last, how many), first < last${logarithmic ? ', both above 0' : ''}`,
      item,
      'as in log(1e-5,1e-3,3)',
    );
  if (!Number.isInteger(count) || count < 2)
    refuseGrid(grid, 'a whole number of values, at least 2', item, 'as in lin(0,1,5)');
  if (count > MOST_VALUES) refuseMany(grid, count);
  return Array.from({ length: count }, (_, at) => {
    const share = at / (count - 1);
    const between = logarithmic
      ? Math.exp(Math.log(first) + share * (Math.log(last) - Math.log(first)))
      : first * (1 - share) + last * share;
    return at === 0 ? first : at === count - 1 ? last : Number(between.toPrecision(DIGITS));
  });
}

function jsonIn(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Lists and objects whose words need no quotes: `[embedding, layers.4.residual]`. */
function flowIn(text: string): unknown {
  try {
    return parseYaml(text, { logLevel: 'silent', maxAliasCount: 0 });
  } catch {
    return undefined;
  }
}

/** The same as JSON holds it: −0 is 0, and what JSON cannot say is refused. */
function plainly(value: unknown, item: string, grid: string): Json {
  try {
    return parseJson(JSON.stringify(value, finite)) as Json;
  } catch {
    return refuseGrid(grid, 'finite numbers, and lists of a bounded depth', item, 'correct it');
  }
}

function finite(_: string, part: unknown): unknown {
  if (typeof part === 'number' && !Number.isFinite(part)) throw new RangeError('not finite');
  return part;
}

function refuseMany(grid: string, count: number): never {
  return refuseGrid(grid, `at most ${MOST_VALUES} values`, String(count), 'leave some out');
}

function refuseBrackets(grid: string): never {
  return refuseGrid(grid, 'brackets and quotes that close', grid, 'close them');
}
