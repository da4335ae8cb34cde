/** @file What a sweep is going to run: a whole, checked recipe for each cell, and the name by which it is found again. */
import { createHash } from 'node:crypto';
import { complain, LatstreamError } from '../foundation/index.js';
import { withSettings, type Recipe } from '../recipes/index.js';
import { settingOf } from './axis.js';
import { cellText, type Cell } from './cells.js';
import { valueText } from './values.js';

/** One cell, ready to be submitted. */
export interface Planned {
  readonly cell: Cell;
  readonly recipe: Recipe;
  /** Of the whole recipe: the same cell has the same, in whichever grid it stands. */
  readonly digest: string;
}

export interface Plan {
  /** Of the sweep; letters, digits, dots, dashes and underscores. */
  readonly name: string;
  readonly cells: readonly Planned[];
}

/** Not `.` and `..`: there is a directory of that name. */
const NAME = /^(?!\.{1,2}$)[\w.-]{1,80}$/;
/** Characters of a run's name. */
const LONGEST_NAME = 100;
/** Errors that are shown whole. */
const SHOWN = 20;

/**
 * @param base the recipe that cells change. @param finish what is done to every recipe before it is submitted
 * @throws SWEEP_NAME; SWEEP_RECIPE with everything that is wrong with any cell; SWEEP_REPEATED where two are one recipe
 */
export function planOf(
  name: string,
  base: Recipe,
  cells: readonly Cell[],
  finish: (recipe: Recipe) => Recipe = (recipe) => recipe,
): Plan {
  if (!NAME.test(name)) refuseName(name);
  const wrong = new Map<string, string[]>();
  const planned = cells.flatMap((cell): Planned[] => {
    try {
      const settings = cell.map((setting) => settingOf(setting.name, setting.value));
      const recipe = finish(withSettings(base, settings, `recipe ${base.name}`));
      return [{ cell, recipe, digest: digestOf(recipe) }];
    } catch (error) {
      if (!(error instanceof LatstreamError)) throw error;
      wrong.set(error.message, [...(wrong.get(error.message) ?? []), cellText(cell)]);
      return [];
    }
  });
  if (wrong.size > 0) refuseRecipes(wrong, cells.length);
  const seen = new Map<string, Cell>();
  for (const { cell, digest } of planned) {
    const twin = seen.get(digest);
    if (twin) refuseRepeated(twin, cell);
    seen.set(digest, cell);
  }
  return { name, cells: planned };
}

/** Of the run: the sweep, and what the cell is. */
export function runName(name: string, { cell }: Planned): string {
  const settings = cell.map((setting) => {
    const last = setting.name.split('.').at(-1) ?? '';
    return `${last}-${valueText(setting.value)
      .replace(/[^\w.]+/g, '-')
      .replace(/^-(?!\d)|-$/g, '')}`;
  });
  return [name, ...settings].join('_').slice(0, LONGEST_NAME);
}

/** The same for cells that differ in nothing but their seed. */
export function seedlessDigest(recipe: Recipe): string {
  return digestOf({ ...recipe, seed: 0 });
}

function digestOf(recipe: Recipe): string {
  return createHash('sha256').update(canonical(recipe)).digest('hex').slice(0, 24);
}

/** Keys in their order, wherever they came from. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function refuseName(name: string): never {
  return complain({
    code: 'SWEEP_NAME',
    owner: 'sweep',
    expected: 'a name of at most 80 letters, digits, dots, dashes and underscores',
    got: name.slice(0, 100),
    hint: 'give one by --name',
  });
}

function refuseRecipes(wrong: ReadonlyMap<string, readonly string[]>, total: number): never {
  const count = [...wrong.values()].reduce((sum, cells) => sum + cells.length, 0);
  const told = [...wrong]
    .slice(0, SHOWN)
    .map(
      ([message, [first = '', ...others]]) =>
        `\n  ${first || 'the recipe'}${others.length > 0 ? ` and ${others.length} more` : ''}: ${message}`,
    );
  const rest = wrong.size > SHOWN ? `\n  … and ${wrong.size - SHOWN} other errors` : '';
  return complain({
    code: 'SWEEP_RECIPE',
    owner: 'sweep',
    expected: 'a recipe in every cell',
    got: `${count} of ${total} that are none:${told.join('')}${rest}\n`,
    hint: 'correct the grid; nothing was submitted',
  });
}

function refuseRepeated(twin: Cell, cell: Cell): never {
  return complain({
    code: 'SWEEP_REPEATED',
    owner: 'sweep',
    expected: 'cells that differ',
    got: `the same recipe for ${cellText(twin)} and ${cellText(cell)}`,
    hint: 'what one axis sets, another sets again: leave one out',
  });
}
