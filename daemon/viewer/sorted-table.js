/** @file A table of plain data, sorted by pressing its heads, and drawn anew only where something is new. */
import { element } from '../../monitor/viewer/dom.js';

/**
 * Its cells are `{text, small?, sort?, share?, tone?, dim?, pick?}`: `sort` is what rows are ordered by (the text if not given;
 * null comes last), `share` from 0 to 1 is drawn behind the text in a `tone`, `pick` is `{id, checked, label}`, a box to check.
 */
export class SortedTable {
  #head = [];
  #rows = [];
  #order = { by: undefined, descending: false };
  #drawn;

  /** @param onPick(id, checked) */
  constructor(caption, onPick) {
    Object.assign(this, { caption, onPick });
    this.root = element('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption });
  }

  /** @param head titles; '' is not sorted by */
  draw(head, rows) {
    this.#head = head;
    this.#rows = rows;
    this.root.hidden = rows.length === 0;
    const now = JSON.stringify([head, rows, this.#order]);
    if (now === this.#drawn) return;
    this.#drawn = now;
    const { activeElement } = document;
    const focused =
      activeElement !== this.root && this.root.contains(activeElement) ? activeElement.dataset.at : undefined;
    const left = this.root.scrollLeft;
    this.root.replaceChildren(
      element(
        'table',
        { class: 'figures' },
        element('caption', {}, this.caption),
        element('thead', {}, element('tr', {}, ...head.map((title) => this.#headCell(title)))),
        element(
          'tbody',
          {},
          ...this.#sorted().map((row) => element('tr', {}, ...row.map((cell) => this.#cell(cell)))),
        ),
      ),
    );
    this.root.scrollLeft = left;
    if (focused !== undefined) this.root.querySelector(`[data-at="${CSS.escape(focused)}"]`)?.focus();
  }

  #headCell(title) {
    if (title === '') return element('th', {});
    const { by, descending } = this.#order;
    const sort = by !== title ? 'none' : descending ? 'descending' : 'ascending';
    const press = () => {
      this.#order = { by: title, descending: by === title && !descending };
      this.draw(this.#head, this.#rows);
    };
    const button = {
      type: 'button',
      class: 'sort',
      name: 'sort',
      'data-at': `sort ${title}`,
      onclick: press,
    };
    return element('th', { scope: 'col', 'aria-sort': sort }, element('button', button, title));
  }

  #sorted() {
    const { by, descending } = this.#order;
    const at = this.#head.indexOf(by);
    if (at < 0) return this.#rows;
    const way = descending ? -1 : 1;
    return this.#rows.toSorted((a, b) => compared(sortOf(a[at]), sortOf(b[at]), way));
  }

  #cell({ text = '', small, share, tone, dim, pick }) {
    const classes = [dim && 'dim', tone].filter(Boolean).join(' ') || undefined;
    const cell = element('td', { class: classes });
    if (share !== undefined) cell.style.setProperty('--share', share); // no style in markup: the pages' policy
    if (pick !== undefined) cell.append(this.#box(pick));
    cell.append(text);
    if (small !== undefined) cell.append(' ', element('small', {}, small));
    return cell;
  }

  #box({ id, checked, label }) {
    const box = element('input', {
      ...{ type: 'checkbox', name: 'cell', checked, 'aria-label': label, 'data-at': `pick ${id}` },
      onchange: () => this.onPick(id, box.checked),
    });
    return box;
  }
}

const sortOf = ({ sort, text }) => (sort === undefined ? text : sort);

/** Numbers by size, everything else as words; what has no figure comes last, whichever way. */
function compared(a, b, way) {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'number' && typeof b === 'number') return way * (a - b);
  return way * String(a).localeCompare(String(b));
}
