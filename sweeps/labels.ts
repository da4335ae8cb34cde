/** @file What a daemon keeps of a cell, so that it is found again: labels of its run, and the cell back from them. */
import { LatstreamError } from '../foundation/index.js';
import type { Cell } from './cells.js';
import type { Planned } from './plan.js';
import { valuesOf, valueText, type Json } from './values.js';

/** Those that every cell has; the others are settings. */
const OWN: readonly string[] = ['sweep', 'cell'];
/** Daemons take no more. */
const [MOST_SETTINGS, LONGEST_NAME, LONGEST_VALUE] = [24, 100, 200] as const;

export function labelsOf(name: string, { cell, digest }: Planned): Record<string, string> {
  const settings = cell
    .filter((setting) => setting.name.length <= LONGEST_NAME)
    .slice(0, MOST_SETTINGS)
    .map((setting) => [setting.name, valueText(setting.value).slice(0, LONGEST_VALUE)] as const);
  return { ...Object.fromEntries(settings), sweep: name, cell: digest };
}

/** The cell that has these labels, as far as they say it. */
export function cellIn(labels: Readonly<Record<string, string>>): Cell {
  const settings = Object.entries(labels).filter(([name]) => !OWN.includes(name));
  return settings.map(([name, text]) => ({ name, value: valueIn(text) }));
}

/** A value that was cut is its text. */
function valueIn(text: string): Json {
  try {
    const [value, ...more] = valuesOf(text, text);
    return value === undefined || more.length > 0 ? text : value;
  } catch (error) {
    if (error instanceof LatstreamError) return text;
    throw error;
  }
}
