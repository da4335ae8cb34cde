/** @file The list of runs: those of a sweep under one row, the others alone; found by text, the most interesting first. */
import { setText } from '../../monitor/viewer/dom.js';
import { newRunRow } from './run-row.js';
import { SweepRow } from './sweep-row.js';
import { sweepOf, sweepsIn } from './sweeps.js';

const ACTIVE = ['running', 'stopping', 'queued'];
/** Rows that are shown without being asked for. */
const FIRST = 20;

/** Keeps a list up to date, row by row: focus and what is being typed stay. */
export class RunList {
  #rows = new Map();
  #sweeps = new Map();
  #runs = [];
  #submitted = [];
  #all = false;

  /**
   * @param asked what rows of runs ask for (see `newRunRow`), and compareAll(runs, wanted, setting), unfold(sweep, open), sweep(name, arm)
   */
  constructor(asked) {
    this.asked = asked;
    const [filter, all] = ['filter', 'all'].map((id) => document.getElementById(id));
    filter.oninput = () => this.#draw();
    all.onclick = () => {
      this.#all = !this.#all;
      this.#draw();
    };
  }

  /** @param runs by submission. @param chosen ids of those that are compared. @param open names of sweeps that are unfolded */
  show(runs, chosen, open) {
    this.#submitted = runs;
    this.#runs = [...runs].sort(byInterest);
    Object.assign(this, { chosen, open });
    this.#draw();
  }

  #draw() {
    const find = (id) => document.getElementById(id);
    const wanted = find('filter').value.trim().toLowerCase();
    const matching = this.#runs.filter((run) => textOf(run).includes(wanted));
    const entries = [...entriesOf(matching)];
    const shown = entries.filter(
      (runs, at) =>
        this.#all ||
        at < FIRST ||
        runs.some(({ id, state }) => this.chosen.has(id) || ACTIVE.includes(state)),
    );
    const sweeps = sweepsIn(this.#submitted);
    const rows = shown.map((runs) => this.#entry(runs, sweeps));
    const list = find('runs');
    if (rows.length !== list.children.length || rows.some((row, at) => row !== list.children[at]))
      list.replaceChildren(...rows);
    find('none').hidden = this.#runs.length > 0;
    const all = find('all');
    all.hidden = entries.length <= FIRST;
    setText(all, this.#all ? 'Show fewer' : `Show all ${entries.length}`);
    const counts = Object.entries(Object.groupBy(this.#runs, ({ state }) => state));
    setText(find('counts'), counts.map(([state, of]) => `${of.length} ${state}`).join(', '));
  }

  #entry(runs, sweeps) {
    const name = sweepOf(runs[0]);
    return name === undefined ? this.#row(runs[0]) : this.#sweep(sweeps.get(name), runs);
  }

  #sweep(sweep, matching) {
    let row = this.#sweeps.get(sweep.name);
    if (row === undefined) this.#sweeps.set(sweep.name, (row = new SweepRow(sweep.name, this.asked)));
    const rowOf = (run) => this.#row(run);
    row.update(sweep, { matching, chosen: this.chosen, open: this.open.has(sweep.name), rowOf });
    return row.root;
  }

  #row(run) {
    let row = this.#rows.get(run.id);
    if (row === undefined) this.#rows.set(run.id, (row = newRunRow(run, this.asked)));
    row.update(run, this.chosen.has(run.id));
    return row.root;
  }
}

/** The runs of a sweep together, where the first of them stands. */
function entriesOf(runs) {
  const entries = new Map();
  for (const run of runs) {
    const name = sweepOf(run);
    const key = name === undefined ? `run ${run.id}` : `sweep ${name}`;
    entries.set(key, [...(entries.get(key) ?? []), run]);
  }
  return entries.values();
}

/** Those that have a process, then those that wait for one in their order, then the others, newest first. */
function byInterest(a, b) {
  const rank = ({ state }) => (ACTIVE.includes(state) ? ACTIVE.indexOf(state) : ACTIVE.length);
  const [first, second] = [rank(a), rank(b)];
  if (first !== second) return first - second;
  if (a.state === 'queued') return b.priority - a.priority || a.created.localeCompare(b.created);
  return b.created.localeCompare(a.created);
}

function textOf({ id, name, worker, state, reason, labels }) {
  return `${id} ${name} ${worker ?? ''} ${state} ${reason ?? ''} ${labels.sweep ?? ''}`.toLowerCase();
}
