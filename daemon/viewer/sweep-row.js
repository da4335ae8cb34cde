/** @file A sweep in the list: one row with its state, which unfolds to tables of its cells and to the rows of its runs. */
import { element, setText } from '../../monitor/viewer/dom.js';
import { newTrack, showShare } from './run-row.js';
import { SweepTables } from './sweep-tables.js';
import { standingOf, varied } from './sweeps.js';

/** Runs that are shown beside those that go on or need somebody. */
const FEW = 3;
const SHOWN = ['running', 'stopping', 'failed', 'paused', 'stopped'];

export class SweepRow {
  #all = false;
  #toggle;
  #state = element('span', { class: 'state' });
  #track;
  #where = element('span', { class: 'where' });
  #compare;
  #list = element('ul', { class: 'runs nested' });
  #more;
  #tables;
  #body;

  /** @param asked see `RunList` */
  constructor(name, asked) {
    this.#toggle = element(
      'button',
      {
        ...{ type: 'button', class: 'fold', name: 'sweep-fold', 'aria-expanded': 'false' },
        onclick: () => asked.unfold(name, this.#toggle.getAttribute('aria-expanded') === 'false'),
      },
      element('b', {}, name),
      ' ',
      element('span', { class: 'dim' }),
    );
    this.#track = newTrack(`sweep ${name}`);
    this.#compare = element('button', {
      ...{ type: 'button', name: 'sweep-compare' },
      onclick: () => {
        const { cells } = this.sweep;
        asked.compareAll(cells, !this.#compared(), varied(cells)[0] ?? '');
      },
    });
    this.#more = element('button', {
      ...{ type: 'button', name: 'sweep-runs' },
      onclick: () => {
        this.#all = !this.#all;
        this.#draw();
      },
    });
    this.#tables = new SweepTables(name, asked);
    this.#body = element('div', { class: 'body', hidden: true }, this.#tables.root, this.#list, this.#more);
    this.root = element(
      'li',
      { class: 'sweep', 'data-sweep': name },
      element(
        'div',
        { class: 'run-line' },
        element('div', { class: 'title' }, this.#toggle),
        this.#state,
        element('div', { class: 'progress-cell' }, this.#track, this.#where),
        element('div', { class: 'actions' }, this.#compare),
      ),
      this.#body,
    );
  }

  /**
   * @param sweep see `sweepsIn`. @param shown {matching: its runs that are looked for, chosen: ids, open, rowOf(run): its row}
   */
  update(sweep, shown) {
    Object.assign(this, { sweep, shown });
    this.#draw();
  }

  #compared() {
    return this.sweep.cells.every(({ id }) => this.shown.chosen.has(id));
  }

  #draw() {
    const { sweep, shown } = this;
    const { cells } = sweep;
    const { state, share, counts } = standingOf(sweep);
    setText(this.#toggle.lastElementChild, `sweep of ${cells.length}`);
    this.#toggle.setAttribute('aria-expanded', String(shown.open));
    this.#state.dataset.state = state;
    setText(this.#state, state);
    showShare(this.#track, share);
    setText(this.#where, counts);
    setText(this.#compare, this.#compared() ? 'Compare none' : `Compare all ${cells.length}`);
    this.#body.hidden = !shown.open;
    if (!shown.open) return;
    this.#tables.update(cells, shown.chosen);
    this.#drawRuns();
  }

  #drawRuns() {
    const { matching, rowOf } = this.shown;
    const few = matching.filter((run, at) => this.#all || at < FEW || SHOWN.includes(run.state));
    const rows = few.map(rowOf);
    const { children } = this.#list;
    if (rows.length !== children.length || rows.some((row, at) => row !== children[at]))
      this.#list.replaceChildren(...rows);
    this.#more.hidden = !this.#all && few.length === matching.length;
    setText(this.#more, this.#all ? 'Show fewer runs' : `Show all ${matching.length} runs`);
  }
}
