/** @file Sweeps among runs: which runs are cells of one, what they vary, and how far it is. Knows no elements. */
import { shareOf } from './run-row.js';

/** What the daemon answers for; `.` and `..` are no names in an address. */
const NAME = /^(?!\.{1,2}$)[\w.-]{1,80}$/;
/** Labels that are no settings. */
const OWN = ['sweep', 'cell'];
/** The first that some cell is in is the sweep's. */
const STATES = ['running', 'stopping', 'queued', 'failed', 'paused', 'stopped', 'done', 'cancelled'];

/** The name of a run's sweep; undefined where it has none. */
export function sweepOf({ labels }) {
  return labels.cell !== undefined && NAME.test(labels.sweep ?? '') ? labels.sweep : undefined;
}

/** What a cell is, by name, as text. */
export function settingsOf({ labels }) {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !OWN.includes(name)));
}

/** `epsilon=0.5 seed=1` */
export function cellText(run) {
  return Object.entries(settingsOf(run))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** name → { name, cells }: of each cell the run that was submitted last. @param runs by submission */
export function sweepsIn(runs) {
  const found = new Map();
  for (const run of runs) {
    const name = sweepOf(run);
    if (name === undefined) continue;
    if (!found.has(name)) found.set(name, new Map());
    found.get(name).set(run.labels.cell, run);
  }
  return new Map([...found].map(([name, cells]) => [name, { name, cells: [...cells.values()] }]));
}

/** The names of settings in which these runs differ, the seed last. */
export function varied(runs) {
  const names = [...new Set(runs.flatMap((run) => Object.keys(settingsOf(run))))];
  return names
    .filter((name) => new Set(runs.map(({ labels }) => labels[name])).size > 1)
    .sort((a, b) => Number(a === 'seed') - Number(b === 'seed'));
}

/** Numbers from the least on, then words. */
export function ascending(a, b) {
  const [first, second] = [Number(a), Number(b)];
  const words = Number(Number.isNaN(first)) - Number(Number.isNaN(second));
  return words || (Number.isNaN(first) ? a.localeCompare(b) : first - second);
}

/** `{state, share, counts}` of all cells: share from 0 to 1, counts as `12 done, 2 running`. */
export function standingOf({ cells }) {
  const states = Object.groupBy(cells, ({ state }) => state);
  const known = STATES.filter((state) => states[state] !== undefined);
  return {
    state: known[0],
    share: cells.reduce((sum, run) => sum + (shareOf(run) ?? 0), 0) / cells.length,
    counts: [...known]
      .reverse()
      .map((state) => `${states[state].length} ${state}`)
      .join(', '),
  };
}
